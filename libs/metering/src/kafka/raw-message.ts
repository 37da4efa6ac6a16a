import { isUtf8 } from 'node:buffer';
import { isAccessLine, ownerOf } from '@tallygate/contracts';
import { isUuid } from '@tallygate/kernel';
import { TENANT_HEADER } from '@tallygate/platform';
import type { IncomingMessage } from '@tallygate/platform';
import { fault } from '../domain/fault';
import type { Fault } from '../domain/fault';
import { attributesIn, decodeMessage } from '../domain/message';
import type { Decoded } from '../domain/message';
import { NO_TENANT } from '../service/dead-letters';
import type { DeadLetterCode } from '../service/dead-letters';
import type { RawEvent } from '../service/take-raw-usage.service';

export const MOST_BYTES = 1024 * 1024;
/** What a letter keeps of a message that nobody can replay anyway. */
const KEPT_OF_OVERSIZED = 64 * 1024;

/**
 * The events of one message of usage.raw: a CloudEvent by the Kafka binding (structured, binary with ce_ headers, or a
 * JSON array of events). The header `tenant` names the tenant by its id, or the line of an access log does, which comes
 * from senders that set no headers: the topic is inside the installation, where producers are trusted.
 * @param origin where the message came from, unique
 */
export function rawEvents(message: IncomingMessage, origin: () => string): readonly RawEvent[] {
  const { headers, value } = message;
  const named = headers[TENANT_HEADER]?.toLowerCase();
  const tenantId = named ?? tenantOfLine(value) ?? undefined;
  if (!isUuid(tenantId))
    return [undecodable(message, origin, NO_TENANT, 'tenant_missing', TENANT_FAULT(tenantId))];
  if (value.length > MOST_BYTES)
    return [undecodable(message, origin, tenantId, 'too_large', TOO_LARGE(value.length))];
  if (!isUtf8(value)) return [undecodable(message, origin, tenantId, 'not_utf8', NOT_UTF8)];
  const decoded = decodeMessage(
    value.toString('utf8'),
    attributesIn(headers, 'ce_'),
    headers['content-type'],
  );
  if (decoded.length === 1)
    return decoded.map((body) => ({ tenantId, origin, headers, body, payload: () => value }));
  return decoded.map((body, place) => ({
    tenantId,
    origin: () => `${origin()}:${place}`,
    headers: NO_HEADERS,
    body,
    payload: () => alone(body),
  }));
}

/** A line of an access log is read twice: once here, and only where no header says whose it is. */
function tenantOfLine(value: Buffer): string | null {
  if (value.length > MOST_BYTES) return null;
  const [only] = decodeMessage(value.toString('utf8'), null);
  return only !== undefined && 'json' in only && isAccessLine(only.json) ? ownerOf(only.json).tenant : null;
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

const TENANT_FAULT = (found: string | undefined): Fault =>
  fault(
    `header ${TENANT_HEADER}`,
    found,
    'does not name a tenant',
    'Send the tenant id in this header; a line of an access log, in its member tenant.',
  );
const TOO_LARGE = (bytes: number): Fault =>
  fault('', `${bytes} bytes`, 'is larger than 1 MiB', 'Send smaller messages.');
const NOT_UTF8 = fault('', 'bytes', 'is not UTF-8', 'Send JSON encoded as UTF-8.');

function undecodable(
  { headers, value }: IncomingMessage,
  origin: () => string,
  tenantId: string,
  code: DeadLetterCode,
  wrong: Fault,
): RawEvent {
  const payload = () => (value.length > MOST_BYTES ? value.subarray(0, KEPT_OF_OVERSIZED) : value);
  return { tenantId, origin, headers, payload, body: { code, faults: [wrong] } };
}

/** One event of an array, as a message of its own would carry it. */
function alone(body: Decoded): Buffer {
  return Buffer.from('json' in body ? JSON.stringify(body.json) : '');
}
