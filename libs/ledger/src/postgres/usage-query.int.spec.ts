import { randomUUID } from 'node:crypto';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import type { Meter, MeteredEvent } from '@tallygate/contracts';
import {
  addMicros,
  divideHalfEven,
  formatAmount,
  ManualClock,
  MICROS,
  parseAmount,
  toMillis,
} from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { createTestDatabase, PgDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import fc from 'fast-check';
import { ledgerProvisioning } from '../provisioning';
import { UsageQuery } from '../service/usage-query.service';
import type { UsageRequest, UsageResult, UsageRow, UsageWindow } from '../service/usage-query.service';
import { assembleLedger } from '../testing/ledger-under-test';
import type { LedgerUnderTest } from '../testing/ledger-under-test';
import { at, correctionOf, introduce, usageEvent } from '../testing/sample';
import type { SampleTenant } from '../testing/sample';
import { PgMeterHistory } from './pg-meter-history';
import { PgUsageReadings } from './pg-usage-readings';
import { PgUsageRollupStore } from './pg-usage-rollup.store';

/** Around both changes of the clocks of 2026 in Berlin and New York, and a leap of a month's length. */
const FIRST = at('2026-02-27T00:00:00Z');
const SPANS = [FIRST, at('2026-03-07T12:00:00Z'), at('2026-03-28T20:00:00Z'), at('2026-10-24T20:00:00Z')];
const NOW = at('2026-11-05T00:00:00Z');
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kathmandu',
  'Pacific/Chatham',
  'Pacific/Apia',
];
const AGGREGATIONS = ['count', 'sum', 'min', 'max', 'avg', 'latest', 'unique_count'] as const;

/** What one event said, kept beside the ledger. */
interface Said {
  readonly id: string;
  readonly time: Instant;
  readonly quantity: Nano;
  readonly who: string;
  readonly group: Readonly<Record<string, string>>;
}

let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let ledger: LedgerUnderTest;
let of: SampleTenant;
let said: Said[];
const rollup = new PgUsageRollupStore();
const query = new UsageQuery(new PgUsageReadings(), new PgMeterHistory());

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  test = await createTestDatabase(server, [ledgerProvisioning]);
  database = new PgDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
  ledger = assembleLedger(database, new ManualClock(NOW));
});
afterAll(async () => {
  await database?.close();
  await test?.drop();
  await server?.stop();
});

const nano = (text: string): Nano => {
  const parsed = parseAmount(text);
  if (!parsed.ok) throw new TypeError(text);
  return parsed.value;
};

const saidArb: fc.Arbitrary<Said> = fc.record({
  id: fc.constant('').map(() => randomUUID()),
  time: fc
    .tuple(fc.constantFrom(...SPANS), fc.nat(12 * MICROS.hour), fc.nat(3))
    .map(([span, micros, days]) => addMicros(span, micros + days * MICROS.day)),
  quantity: fc.oneof(
    fc.constantFrom('0', '0.000000001', '1', '1000000000000000000000000000', '0.3').map(nano),
    fc.bigInt({ min: 0n, max: 10n ** 13n }),
  ),
  who: fc.constantFrom('ann', 'bob', 'Ünal', '7'),
  group: fc.record(
    { model: fc.constantFrom('m1', 'm2', 'm "3"', ''), region: fc.constantFrom('eu', 'us') },
    { requiredKeys: [] },
  ),
});

function eventOf({ id, time, quantity, who, group }: Said): MeteredEvent {
  const fit = Object.fromEntries(Object.entries(group).filter(([, value]) => value !== ''));
  const text = formatAmount(quantity);
  const readings = AGGREGATIONS.map((meter) => ({
    meter,
    group: fit,
    features: [],
    ...(meter === 'unique_count' ? { value: who } : { quantity: meter === 'count' ? '1' : text }),
  }));
  return { ...usageEvent(of, { id, occurredAt: time }), readings };
}

async function use(events: readonly Said[]): Promise<void> {
  said.push(...events);
  for (let from = 0; from < events.length; from += 50)
    await ledger.slices.take(events.slice(from, from + 50).map(eventOf), null);
}

const fold = async (most = 64): Promise<number> =>
  (await database.asWorker((tx) => rollup.fold(tx, most))).folded;

async function foldAll(): Promise<void> {
  while ((await fold()) > 0);
}

/** As a correction rewrites an event's rows. */
async function rewrite(id: string, quantity: Nano): Promise<void> {
  said = said.map((one) => (one.id === id ? { ...one, quantity } : one));
  await database.asWorker((tx) =>
    tx.query(
      `update usage_event set quantity = $2::numeric
        where event_id = $1 and meter in ('sum', 'min', 'max', 'avg', 'latest')`,
      [id, formatAmount(quantity)],
    ),
  );
}

async function reverse(id: string): Promise<void> {
  said = said.filter((one) => one.id !== id);
  await database.asWorker((tx) =>
    tx.query(
      'update usage_event set meter = null, quantity = null, value = null, grp = null where event_id = $1',
      [id],
    ),
  );
}

type Asked = Pick<UsageRequest, 'window' | 'zone' | 'groupBy' | 'filter' | 'from' | 'to'> & {
  readonly aggregation: Meter['aggregation'];
  readonly pageSize: number;
};

const instants = fc
  .tuple(fc.constantFrom(...SPANS), fc.integer({ min: -2 * MICROS.day, max: 5 * MICROS.day }), fc.boolean())
  .map(([span, shift, whole]) => addMicros(span, whole ? shift - (shift % (15 * MICROS.minute)) : shift));

const askedArb: fc.Arbitrary<Asked> = fc
  .record({
    aggregation: fc.constantFrom(...AGGREGATIONS),
    window: fc.constantFrom<UsageWindow | null>(null, 'minute', 'hour', 'day', 'week', 'month'),
    zone: fc.constantFrom(...ZONES),
    groupBy: fc.constantFrom([], ['model'], ['region', 'model']),
    filter: fc.constantFrom<Asked['filter']>({}, { model: ['m1', 'm "3"'] }, { model: [''], region: ['eu'] }),
    from: fc.option(instants),
    to: fc.option(instants),
    pageSize: fc.integer({ min: 4, max: 80 }),
  })
  .map((asked) => {
    const { from, to, window } = asked;
    const ordered = from !== null && to !== null && to < from ? { from: to, to: from } : { from, to };
    if (window !== 'minute' && window !== 'hour') return { ...asked, ...ordered };
    // Minutes of a day and hours of a few: more are more than an answer may have.
    const start = ordered.from ?? SPANS[2] ?? FIRST;
    return { ...asked, from: start, to: addMicros(start, (window === 'minute' ? 0.2 : 4) * MICROS.day) };
  });

async function ask(asked: Asked, page: Pick<UsageRequest, 'limit' | 'after'>): Promise<UsageResult> {
  const { aggregation, pageSize: _, ...rest } = asked;
  const request = { ...of, ...rest, ...page, meter: { key: aggregation, aggregation } };
  return database.asTenant(of.tenantId, (tx) => query.ask(tx, request, NOW));
}

async function pages(asked: Asked): Promise<UsageRow[]> {
  const rows: UsageRow[] = [];
  let after: UsageRequest['after'] = null;
  do {
    const result = await ask(asked, { limit: asked.pageSize, after });
    if (result.kind !== 'rows') throw new TypeError(result.kind);
    expect(result.rows.length).toBeLessThanOrEqual(asked.pageSize);
    rows.push(...result.rows);
    after = result.next;
  } while (after !== null);
  return rows;
}

/** The local clock's own name of a window, from the platform's calendar: nothing of the engine's. */
function nameOf(unit: UsageWindow, time: Instant, zone: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
  const parts = Object.fromEntries(
    format.formatToParts(Math.floor(toMillis(time))).map(({ type, value }) => [type, value]),
  );
  const day = `${parts['year']}-${parts['month']}-${parts['day']}`;
  switch (unit) {
    case 'month':
      return day.slice(0, 7);
    case 'day':
      return day;
    case 'week': {
      const date = new Date(`${day}T00:00:00Z`);
      return new Date(date.getTime() - ((date.getUTCDay() + 6) % 7) * 86_400_000).toISOString().slice(0, 10);
    }
    case 'hour':
      return `${day} ${parts['hour']} ${parts['timeZoneName']}`;
    case 'minute':
      return `${day} ${parts['hour']}:${parts['minute']} ${parts['timeZoneName']}`;
  }
}

function valueOf(aggregation: Meter['aggregation'], events: readonly Said[]): string | null {
  const quantities = events.map(({ quantity }) => quantity);
  const sum = quantities.reduce((total, each) => total + each, 0n);
  const [first] = quantities;
  if (aggregation === 'count') return String(events.length);
  if (aggregation === 'unique_count') return String(new Set(events.map(({ who }) => who)).size);
  if (aggregation === 'sum') return formatAmount(sum);
  if (first === undefined) return null;
  if (aggregation === 'avg') return formatAmount(divideHalfEven(sum, BigInt(events.length)));
  if (aggregation === 'min') return formatAmount(quantities.reduce((a, b) => (b < a ? b : a), first));
  if (aggregation === 'max') return formatAmount(quantities.reduce((a, b) => (b > a ? b : a), first));
  const latest = events.reduce((a, b) => (b.time >= a.time ? b : a), events[0] as Said);
  return formatAmount(latest.quantity);
}

function keyOf(name: string, group: Readonly<Record<string, string | null>>, { groupBy }: Asked): string {
  return JSON.stringify([name, groupBy.map((key) => group[key] || null)]);
}

/** Rows by window's name and group, from what was said alone; windows without usage are left to the caller. */
function expected(asked: Asked, within: readonly Said[]): Map<string, string | null> {
  const { aggregation, window, zone } = asked;
  const groups = new Map<string, Said[]>();
  for (const one of within) {
    const name = window === null ? '' : nameOf(window, one.time, zone);
    const key = keyOf(name, one.group, asked);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return new Map([...groups].map(([key, events]) => [key, valueOf(aggregation, events)]));
}

function fits(one: Said, { filter, from, to }: Asked): boolean {
  const inRange = (from === null || one.time >= from) && one.time < (to ?? addMicros(NOW, 1));
  return (
    inRange &&
    Object.entries(filter).every(([key, values]) => values.includes(one.group[key as 'model'] ?? ''))
  );
}

async function check(asked: Asked): Promise<void> {
  const within = said.filter((one) => fits(one, asked));
  if (asked.window === null && asked.groupBy.length === 0) {
    const result = await ask(asked, { limit: 10, after: null });
    expect(result).toEqual({ kind: 'value', value: valueOf(asked.aggregation, within) });
    return;
  }
  const rows = await pages(asked);
  const nothing = valueOf(asked.aggregation, []);
  const wanted = expected(asked, within);
  const found = rows.map(({ start, group, value }) => {
    const name = asked.window === null ? '' : nameOf(asked.window, start, asked.zone);
    return [keyOf(name, group, asked), value] as const;
  });
  expect(new Map(found.filter(([key]) => wanted.has(key)))).toEqual(wanted);
  // What else is there are windows without usage.
  for (const [key, value] of found) if (!wanted.has(key)) expect([key, value]).toEqual([key, nothing]);
  expect(new Set(found.map(([key]) => key)).size).toBe(found.length);
  if (asked.window !== null) checkWindows(rows, asked);
}

/** In order, without gaps, over the whole range. */
function checkWindows(rows: readonly UsageRow[], { from, to }: Asked): void {
  const [first] = rows;
  const last = rows.at(-1);
  if (first === undefined || last === undefined) {
    expect(from).toBe(to);
    return;
  }
  for (const [place, row] of rows.entries()) {
    const next = rows[place + 1];
    if (next !== undefined && next.start !== row.start) expect(next.start).toBe(row.end);
  }
  if (from !== null) expect(first.start <= from && from < first.end).toBe(true);
  if (from !== null && to !== null) expect(last.start < to && to <= last.end).toBe(true);
}

const always = (runs: number): Promise<void> =>
  fc.assert(fc.asyncProperty(askedArb, check), { numRuns: runs });

describe('usage as metered, against a model that knows nothing of windows and roll-ups', () => {
  beforeAll(async () => {
    said = [];
    of = await introduce(ledger, { now: NOW });
  });

  it('is exact in every aggregation, window, zone, group and filter, page by page', async () => {
    await always(20);
    await use(fc.sample(saidArb, 250));
    await always(60);
  });

  it('is the same when it was folded, in part or whole', async () => {
    await fold(2);
    await always(30);
    await foldAll();
    await always(60);
  });

  it('takes late events in at once', async () => {
    await use(fc.sample(saidArb, 60));
    await always(30);
    await foldAll();
    await always(30);
  });

  it('follows corrections at once, before and after they are folded', async () => {
    await use(fc.sample(saidArb, 20));
    for (const { id } of said.slice(0, 12)) await rewrite(id, 5n);
    for (const { id } of said.slice(12, 20)) await reverse(id);
    for (const { id } of said.slice(-5)) await rewrite(id, 7n);
    await always(30);
    await fold(1);
    await always(20);
    await foldAll();
    await always(60);
  });

  it('says nothing of what begins where the range ends', async () => {
    said = [];
    of = await introduce(ledger, { now: NOW });
    await use(fc.sample(saidArb, 3).map((one) => ({ ...one, time: FIRST })));
    const until = { filter: {}, zone: 'UTC', from: null, to: FIRST, pageSize: 4 };
    const askAll = async (): Promise<void> => {
      for (const aggregation of AGGREGATIONS)
        for (const window of [null, 'day' as const])
          for (const groupBy of [[], ['model']]) await check({ ...until, aggregation, window, groupBy });
    };
    await askAll();
    await foldAll();
    await askAll();
  });

  it('refuses more windows than an answer may have without building them', async () => {
    const asked = { ...(fc.sample(askedArb, 1)[0] as Asked), window: 'minute' as const, to: NOW };
    const result = await ask({ ...asked, from: at('1970-01-01T00:00:00Z') }, { limit: 1, after: null });
    expect(result.kind).toBe('too_many_windows');
  });
});

describe('folding', () => {
  it('is done by one process at a time, and counts each slice once', async () => {
    said = [];
    of = await introduce(ledger, { now: NOW });
    await use(fc.sample(saidArb, 200));
    await Promise.all([fold(1), fold(1), fold(2), foldAll()]);
    await foldAll();
    await always(20);
  });

  it('finds slices that lie elsewhere than where the table ended, as after a restore', async () => {
    said = [];
    of = await introduce(ledger, { now: NOW });
    await use(fc.sample(saidArb, 120));
    await database.asWorker((tx) =>
      tx.query('update unfolded_slice set page = 1000000 where slice_id % 3 = 0'),
    );
    await database.asWorker((tx) => tx.query('update unfolded_slice set page = null where slice_id % 3 = 1'));
    await always(20);
    await fold(1);
    await fold(5);
    await foldAll();
    await always(40);
  });

  it('finds what an amendment added, which lies where its event does', async () => {
    said = [];
    of = await introduce(ledger, { now: NOW });
    const one = fc.sample(saidArb, 1)[0] as Said;
    const event = eventOf(one);
    await ledger.slices.take([{ ...event, readings: event.readings.slice(0, 1) }], null);
    await foldAll();
    const amendment = correctionOf(event, { readings: event.readings });
    await expect(ledger.slices.take([amendment], null)).resolves.toMatchObject({ accepted: 1 });
    const { rows } = await database.asWorker((tx) =>
      tx.query<{ page: bigint | null }>('select page from unfolded_slice'),
    );
    expect(rows).toEqual([{ page: null }]);
    said.push(one);
    await always(20);
    await foldAll();
    await always(40);
  });
});
