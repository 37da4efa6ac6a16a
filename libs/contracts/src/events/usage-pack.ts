import type { CorrectedUsage, MeteredEvent, MeterReading } from './usage';

/** A message of usage.metered. Events come as rows, without the names that each would repeat: half the bytes. */
interface UsagePack {
  readonly tenantId: string;
  readonly events: readonly EventRow[];
}

type EventRow = readonly [
  customerId: string,
  subject: string,
  source: string,
  id: string,
  type: string,
  occurredAt: number,
  receivedAt: number,
  payloadHash: string,
  readings: readonly ReadingRow[],
  corrects?: CorrectedUsage,
];

type ReadingRow = readonly [
  meter: string,
  quantity: string | null,
  value: string | null,
  group: Readonly<Record<string, string>>,
  features: readonly string[],
];

/** @param events of this tenant, in the order in which they are to be booked */
export function packUsage(tenantId: string, events: readonly MeteredEvent[]): Buffer {
  return packRows(tenantId, [usageRows(events)]);
}

/** Events as they stand in a pack, to be packed together with others later: a seventh of what they take as objects. */
export function usageRows(events: readonly MeteredEvent[]): string {
  return JSON.stringify(events.map(rowOf)).slice(1, -1);
}

/** @param rows texts of `usageRows`, none of them of no event */
export function packRows(tenantId: string, rows: readonly string[]): Buffer {
  return Buffer.from(`{"tenantId":${JSON.stringify(tenantId)},"events":[${rows.join(',')}]}`);
}

/**
 * Reads what `packUsage` wrote. Only ingestion writes the topic; anything else throws, and is a bug to be fixed, not
 * input to be refused.
 */
export function unpackUsage(value: Buffer): MeteredEvent[] {
  const pack = JSON.parse(value.toString('utf8')) as Partial<UsagePack> | null;
  if (typeof pack?.tenantId !== 'string' || !Array.isArray(pack.events))
    throw new TypeError(`not a pack of usage: ${value.toString('utf8', 0, 200)}`);
  const { tenantId, events } = pack as UsagePack;
  return events.map((row) => eventOf(tenantId, row));
}

function rowOf(event: MeteredEvent): EventRow {
  const { customerId, subject, source, id, type, occurredAt, receivedAt, payloadHash, corrects } = event;
  const readings = event.readings.map(readingRowOf);
  return corrects === undefined
    ? [customerId, subject, source, id, type, occurredAt, receivedAt, payloadHash, readings]
    : [customerId, subject, source, id, type, occurredAt, receivedAt, payloadHash, readings, corrects];
}

function readingRowOf({ meter, quantity, value, group, features }: MeterReading): ReadingRow {
  return [meter, quantity ?? null, value ?? null, group, features];
}

function eventOf(tenantId: string, row: EventRow): MeteredEvent {
  const [customerId, subject, source, id, type, occurredAt, receivedAt, payloadHash, readings, corrects] =
    row;
  const event = {
    tenantId,
    customerId,
    subject,
    source,
    id,
    type,
    occurredAt,
    receivedAt,
    payloadHash,
    readings: readings.map(readingOf),
  };
  return corrects === undefined ? event : { ...event, corrects };
}

function readingOf([meter, quantity, value, group, features]: ReadingRow): MeterReading {
  if (value === null)
    return quantity === null ? { meter, group, features } : { meter, quantity, group, features };
  return quantity === null ? { meter, value, group, features } : { meter, quantity, value, group, features };
}
