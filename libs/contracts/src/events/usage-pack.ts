import type { CorrectedUsage, MeteredEvent, MeterReading } from './usage';

/**
 * A message of usage.metered. What many events of it share stands in it once, and each event is a row: two places in
 * those lists, then id, `occurredAt`, `payloadHash`, and what each reading of its kind holds, quantity before value.
 */
interface PackText {
  readonly tenantId: string;
  readonly who: readonly Who[];
  readonly kinds: readonly Kind[];
  readonly events: readonly EventRow[];
}

type Who = readonly [customerId: string, subject: string];

type Kind = readonly [
  source: string,
  type: string,
  receivedAt: number,
  readings: readonly ReadingKind[],
  corrects?: CorrectedUsage,
];

type ReadingKind = readonly [
  meter: string,
  group: Readonly<Record<string, string>>,
  features: readonly string[],
  holds: number,
];

type EventRow = readonly [
  who: number,
  kind: number,
  id: string,
  occurredAt: number,
  payloadHash: string,
  ...held: string[],
];

const HELD_FROM = 5;
/** What a reading holds; one of unique_count a value alone. */
const QUANTITY = 1;
const VALUE = 2;
/** Kinds that an event is compared with before it gets one of its own: a gateway sends a few, one after the other. */
const RECENT_KINDS = 8;
const COMMA = 1;

/** Events of one tenant on their way to one partition, kept as the text they leave as. */
export class UsagePack {
  private readonly places = new Map<string, { readonly subject: string; readonly place: number }>();
  private recent: { readonly event: MeteredEvent; readonly place: number }[] = [];
  private readonly who: string[] = [];
  private readonly kinds: string[] = [];
  private readonly rows: string[] = [];
  private bytes: number;
  private full = false;

  /** @param mostBytes of the message; one event alone may be larger */
  constructor(
    private readonly tenantId: string,
    private readonly mostBytes = Infinity,
  ) {
    this.bytes = this.toBuffer().length;
  }

  /**
   * @param events of this tenant, in the order in which they are to be booked
   * @returns false: there is no room for all of them; none was added, and none will be
   */
  add(events: readonly MeteredEvent[]): boolean {
    if (this.full) return false;
    const before = [this.who.length, this.kinds.length] as const;
    const rows = JSON.stringify(events.map((event) => this.rowOf(event))).slice(1, -1);
    const added = [rows, ...this.who.slice(before[0]), ...this.kinds.slice(before[1])];
    const bytes = added.reduce((sum, text) => sum + Buffer.byteLength(text) + COMMA, this.bytes);
    if (bytes > this.mostBytes && (this.rows.length > 0 || events.length > 1)) {
      this.who.length = before[0];
      this.kinds.length = before[1];
      this.full = true;
      return false;
    }
    this.rows.push(rows);
    this.bytes = bytes;
    return true;
  }

  toBuffer(): Buffer {
    const lists = `"who":[${this.who.join(',')}],"kinds":[${this.kinds.join(',')}]`;
    const text = `{"tenantId":${JSON.stringify(this.tenantId)},${lists},"events":[${this.rows.join(',')}]}`;
    return Buffer.from(text);
  }

  private rowOf(event: MeteredEvent): EventRow {
    const { id, occurredAt, payloadHash, readings } = event;
    const held: string[] = [];
    for (const { quantity, value } of readings) {
      if (quantity !== undefined) held.push(quantity);
      if (value !== undefined) held.push(value);
    }
    return [this.placeOf(event), this.kindOf(event), id, occurredAt, payloadHash, ...held];
  }

  private placeOf({ customerId, subject }: MeteredEvent): number {
    const known = this.places.get(customerId);
    if (known?.subject === subject) return known.place;
    const place = this.who.push(JSON.stringify([customerId, subject])) - 1;
    this.places.set(customerId, { subject, place });
    return place;
  }

  private kindOf(event: MeteredEvent): number {
    for (const { event: other, place } of this.recent) if (isAlike(event, other)) return place;
    const place = this.kinds.push(JSON.stringify(kindOf(event))) - 1;
    this.recent = [{ event, place }, ...this.recent.slice(0, RECENT_KINDS - 1)];
    return place;
  }
}

/** @param events of this tenant, in the order in which they are to be booked */
export function packUsage(tenantId: string, events: readonly MeteredEvent[]): Buffer {
  const pack = new UsagePack(tenantId);
  if (events.length > 0) pack.add(events);
  return pack.toBuffer();
}

/**
 * Reads what a `UsagePack` wrote. Only ingestion writes the topic; anything else throws, and is a bug to be fixed, not
 * input to be refused. What events share they share as the same strings and objects.
 */
export function unpackUsage(value: Buffer): MeteredEvent[] {
  const pack = JSON.parse(value.toString('utf8')) as Partial<PackText> | null;
  if (typeof pack?.tenantId !== 'string' || ![pack.who, pack.kinds, pack.events].every(Array.isArray))
    throw new TypeError(`not a pack of usage: ${value.toString('utf8', 0, 200)}`);
  const { tenantId, who, kinds, events } = pack as PackText;
  return events.map((row) => eventOf(tenantId, who[row[0]] as Who, kinds[row[1]] as Kind, row));
}

function kindOf({ source, type, receivedAt, readings, corrects }: MeteredEvent): Kind {
  const kinds = readings.map((reading): ReadingKind => {
    const { meter, group, features } = reading;
    return [meter, group, features, holdsOf(reading)];
  });
  return corrects === undefined
    ? [source, type, receivedAt, kinds]
    : [source, type, receivedAt, kinds, corrects];
}

function holdsOf({ quantity, value }: MeterReading): number {
  return (quantity === undefined ? 0 : QUANTITY) + (value === undefined ? 0 : VALUE);
}

/** Corrections are each of their own kind. */
function isAlike(a: MeteredEvent, b: MeteredEvent): boolean {
  return (
    a.source === b.source &&
    a.type === b.type &&
    a.receivedAt === b.receivedAt &&
    a.corrects === undefined &&
    b.corrects === undefined &&
    a.readings.length === b.readings.length &&
    a.readings.every((reading, place) => isAlikeReading(reading, b.readings[place]))
  );
}

function isAlikeReading(a: MeterReading, b: MeterReading | undefined): boolean {
  return (
    b !== undefined &&
    a.meter === b.meter &&
    holdsOf(a) === holdsOf(b) &&
    (a.features === b.features || isAlikeList(a.features, b.features)) &&
    isAlikeGroup(a.group, b.group)
  );
}

function isAlikeList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, place) => item === b[place]);
}

/** In the same order too: what comes out is what went in. */
function isAlikeGroup(a: MeterReading['group'], b: MeterReading['group']): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  return isAlikeList(keys, Object.keys(b)) && keys.every((key) => a[key] === b[key]);
}

function eventOf(tenantId: string, who: Who, kind: Kind, row: EventRow): MeteredEvent {
  const [source, type, receivedAt, kinds, corrects] = kind;
  let at = HELD_FROM;
  const readings: MeterReading[] = [];
  for (const [meter, group, features, holds] of kinds) {
    if (holds === QUANTITY) readings.push({ meter, quantity: row[at] as string, group, features });
    else if (holds === VALUE) readings.push({ meter, value: row[at] as string, group, features });
    else if (holds === 0) readings.push({ meter, group, features });
    else
      readings.push({
        meter,
        quantity: row[at] as string,
        value: row[at + 1] as string,
        group,
        features,
      });
    at += holds === (QUANTITY | VALUE) ? 2 : Number(holds > 0);
  }
  const event = {
    tenantId,
    customerId: who[0],
    subject: who[1],
    source,
    id: row[2],
    type,
    occurredAt: row[3],
    receivedAt,
    payloadHash: row[4],
    readings,
  };
  return corrects === undefined ? event : { ...event, corrects };
}
