import { fault } from './fault';
import type { Fault } from './fault';

/** Context attributes as they travel beside the data in binary content mode: by name, without their prefix. */
export type Attributes = Readonly<Record<string, string>>;

/** What a message holds: an event in JSON form, or nothing that can be told. */
export type Decoded =
  { readonly json: unknown } | { readonly code: 'not_json'; readonly faults: readonly Fault[] };

/**
 * The events of a message by the CloudEvents bindings: one in structured mode, several as a JSON array, one in binary
 * mode when attributes came beside it.
 * @param text the message's value, known to be Unicode
 */
export function decodeMessage(
  text: string,
  attributes: Attributes | null,
  contentType?: string,
): readonly Decoded[] {
  const parsed = parseJson(attributes !== null && text === '' ? 'null' : text);
  if ('faults' in parsed) return [{ code: 'not_json', faults: parsed.faults }];
  if (attributes !== null) return [{ json: binaryEvent(attributes, parsed.json, contentType) }];
  return Array.isArray(parsed.json) ? parsed.json.map((json: unknown) => ({ json })) : [parsed];
}

/** The attributes under a prefix (`ce-` over HTTP, `ce_` over Kafka); null when the message is not in binary mode. */
export function attributesIn(
  headers: Readonly<Record<string, unknown>>,
  prefix: 'ce-' | 'ce_',
): Attributes | null {
  if (headers[`${prefix}specversion`] === undefined && headers[`${prefix}id`] === undefined) return null;
  const found: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(prefix) && typeof value === 'string') found.push([name.slice(prefix.length), value]);
  }
  return Object.fromEntries(found);
}

/** The JSON form of an event in binary mode. */
export function binaryEvent(
  attributes: Attributes,
  data: unknown,
  contentType?: string,
): Record<string, unknown> {
  return { ...attributes, datacontenttype: contentType, data };
}

function parseJson(text: string): { readonly json: unknown } | { readonly faults: readonly Fault[] } {
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return { faults: [fault('', text, 'is not JSON', 'Send a CloudEvent as JSON.')] };
  }
}
