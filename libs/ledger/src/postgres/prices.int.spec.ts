import { randomUUID } from 'node:crypto';
import type { Budget, MeteredEvent, Price, QuotaFacts, SpendFacts } from '@tallygate/contracts';
import { priceSchema } from '@tallygate/contracts';
import { formatInstant, ManualClock } from '@tallygate/kernel';
import { createTestDatabase, PgDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { ledgerProvisioning } from '../provisioning';
import { assembleLedger } from '../testing/ledger-under-test';
import type { LedgerUnderTest } from '../testing/ledger-under-test';
import {
  correctionOf,
  customerFacts,
  hours,
  introduce,
  SAMPLE_CATALOG,
  START,
  subscriptionFacts,
  tell,
  usageEvent,
} from '../testing/sample';
import type { SampleTenant } from '../testing/sample';

let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let ledger: LedgerUnderTest;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
});
afterAll(() => server.stop());

beforeEach(async () => {
  test = await createTestDatabase(server, [ledgerProvisioning]);
  database = new PgDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
  ledger = assembleLedger(database, new ManualClock(START));
});
afterEach(async () => {
  await database.close();
  await test.drop();
});

const seats = (of: SampleTenant, n: string, fields: Partial<MeteredEvent> = {}): MeteredEvent => ({
  ...usageEvent(of, fields),
  readings: [{ meter: 'seats', quantity: n, group: {}, features: ['seats'] }],
});
const user = (of: SampleTenant, value: string, fields: Partial<MeteredEvent> = {}): MeteredEvent => ({
  ...usageEvent(of, fields),
  readings: [{ meter: 'users', value, group: {}, features: ['users', 'user_quota'] }],
});
const unpriced = (of: SampleTenant, tokens: string, model: string, id: string): MeteredEvent => ({
  ...usageEvent(of, { id }),
  readings: [{ meter: 'tokens', quantity: tokens, group: { model }, features: ['unpriced'] }],
});

async function debt(of: SampleTenant): Promise<number> {
  const { rows } = await database.asTenant(of.tenantId, (tx) =>
    tx.query<{ debt: string }>('select debt::text from wallet where customer_id = $1', [of.customerId]),
  );
  return Number(rows[0]?.debt ?? 0);
}

async function facts<T>(type: string): Promise<T[]> {
  const { rows } = await database.asWorker((tx) =>
    tx.query<{ event: { type: string; data: T } }>(
      `select convert_from(value, 'UTF8')::jsonb as event from outbox order by id`,
    ),
  );
  return rows.flatMap(({ event }) => (event.type === type ? [event.data] : []));
}

async function lastFact<T>(type: string, feature: string): Promise<T | undefined> {
  await ledger.feed.flush(null);
  return (await facts<T & { feature: string }>(type)).filter((one) => one.feature === feature).at(-1);
}

describe('a meter that does not add up', () => {
  it('debits each rise, in one slice and over several, and after a restart', async () => {
    const of = await introduce(ledger, { plan: 'team' });
    await ledger.slices.take([seats(of, '4'), seats(of, '2'), seats(of, '6'), seats(of, '6')], null);
    expect(await debt(of)).toBe(3);
    ledger = assembleLedger(database, new ManualClock(START));
    await ledger.slices.take(
      [seats(of, '5'), seats(of, '7', { occurredAt: hours(1) }), seats(of, '7')],
      null,
    );
    expect(await debt(of)).toBe(3.5);
  });

  it('counts a value once in a period, and stands in a quota at what it counted', async () => {
    const of = await introduce(ledger, { plan: 'team' });
    const long = 'u'.repeat(1_000);
    await ledger.slices.take([user(of, 'ann'), user(of, 'bob'), user(of, 'ann')], null);
    ledger = assembleLedger(database, new ManualClock(START));
    await ledger.slices.take([user(of, 'bob'), user(of, long), user(of, long)], null);
    await ledger.slices.take([user(of, long)], null);
    expect(await debt(of)).toBe(1.5);
    const quota = await lastFact<QuotaFacts>('quota.changed', 'user_quota');
    expect(quota).toMatchObject({ used: '3', included: '2' });
  });

  it('is counted anew on both sides of a reset', async () => {
    const of = await introduce(ledger, { plan: 'team' });
    const at = (name: string, hour: number) => user(of, name, { occurredAt: hours(hour) });
    await ledger.slices.take([at('ann', 0), at('bob', 1), at('ann', 3), at('cid', 4)], null);
    const reset = { ...of, feature: 'user_quota', at: hours(2), keepOverage: true, keepAnchor: true };
    const outcome = await database.asTenant(of.tenantId, (tx) => ledger.quotas.reset(tx, reset, hours(5)));
    expect(outcome).toMatchObject({ status: 'reset', counter: { used: 2_000_000_000n } });
    await ledger.slices.take([at('cid', 5), at('bob', 5), at('dan', 1)], null);
    const { rows } = await database.asTenant(of.tenantId, (tx) =>
      tx.query<{ used: string }>(
        `select used::numeric(9,0)::text as used from usage_counter where kind = 'quota' order by period_start`,
      ),
    );
    expect(rows.map(({ used }) => used)).toEqual(['3', '3']);
  });
});

describe('a counter', () => {
  it('that many begin at once counts what all of them counted', async () => {
    const of = await introduce(ledger, { plan: 'capped' });
    const other = assembleLedger(database, new ManualClock(START));
    const later = hours(48);
    const slices = Array.from({ length: 6 }, (_, i) =>
      (i % 2 === 0 ? ledger : other).slices.take(
        [usageEvent(of, { tokens: '100', occurredAt: later })],
        null,
      ),
    );
    const renewed = { ...subscriptionFacts(of.customerId, 'capped', START), version: 2 };
    await Promise.all([
      ...slices,
      tell(ledger, of.tenantId, later, 'subscription.changed', { subscription: renewed }),
    ]);
    // Whichever process counted last has gathered it, and may be the other one.
    await other.feed.flush(null);
    expect(await lastFact('spend.changed', 'completions')).toMatchObject({ spent: '1.2' });
  });
});

describe('a spend cap', () => {
  it('is told before anything is spent, when it is reached at once, and per period of the usage', async () => {
    const of = await introduce(ledger, { plan: 'capped' });
    const [told] = await facts<SpendFacts>('spend.changed');
    expect(told).toMatchObject({ unit: 'USD', spent: '0', cap: '1', periodEnd: formatInstant(hours(24)) });
    await ledger.slices.take([usageEvent(of, { tokens: '400' })], null);
    expect(await facts('spend.changed')).toHaveLength(1);
    await ledger.slices.take([usageEvent(of, { tokens: '100' })], null);
    expect((await facts<SpendFacts>('spend.changed')).at(-1)).toMatchObject({ spent: '1', cap: '1' });
    await ledger.slices.take([usageEvent(of, { tokens: '50', occurredAt: hours(24) })], null);
    const next = await lastFact<SpendFacts>('spend.changed', 'completions');
    expect(next).toMatchObject({ spent: '0.1', periodStart: formatInstant(hours(24)) });
    await ledger.slices.take([usageEvent(of, { tokens: '50', occurredAt: hours(23) })], null);
    const late = (await facts<SpendFacts>('spend.changed')).filter(({ spent }) => spent === '1.1');
    expect(late.every(({ version }) => version < (next?.version ?? 0))).toBe(true);
  });

  it('moves with the plan, and starts from what its period has debited', async () => {
    const of = await introduce(ledger, { plan: 'capped', now: hours(30) });
    await ledger.slices.take([usageEvent(of, { tokens: '250', occurredAt: hours(30) })], null);
    const before = await lastFact<SpendFacts>('spend.changed', 'completions');
    const subscription = { ...subscriptionFacts(of.customerId, 'capped-more', hours(31)), version: 2 };
    await tell(ledger, of.tenantId, hours(31), 'subscription.changed', { subscription });
    const after = await lastFact<SpendFacts>('spend.changed', 'completions');
    expect(before).toMatchObject({ per: 'day', spent: '0.5', cap: '1' });
    expect(after).toMatchObject({ per: 'month', spent: '0.5', cap: '3', periodStart: formatInstant(START) });
    await ledger.slices.take([usageEvent(of, { tokens: '500', occurredAt: hours(31) })], null);
    expect(await lastFact('spend.changed', 'completions')).toMatchObject({ spent: '1.5', cap: '3' });
  });
});

describe('a budget of the customer’s own', () => {
  const budget = (day: string | null, month: string | null): Budget => ({
    feature: 'completions',
    day,
    month,
  });
  const budgeted = (of: SampleTenant, version: number, budgets: readonly Budget[], hour = 0) =>
    tell(ledger, of.tenantId, hours(hour), 'customer.changed', {
      customer: customerFacts(of.customerId, { budgets, version }),
    });
  const use = (of: SampleTenant, tokens: string, hour = 0) =>
    ledger.slices.take([usageEvent(of, { tokens, occurredAt: hours(hour) })], null);

  async function told(per: SpendFacts['per']): Promise<readonly [spent: string, cap: string] | null> {
    await ledger.feed.flush(null);
    const own = (await facts<SpendFacts>('spend.changed')).filter((one) => one.per === per);
    const last = own.at(-1);
    expect(own.every(({ version }) => version <= (last?.version ?? 0))).toBe(true);
    return last === undefined ? null : [last.spent, last.cap];
  }

  it('counts beside the plan’s cap, and by one period the smaller of the two holds', async () => {
    const of = await introduce(ledger, { plan: 'capped' });
    await budgeted(of, 2, [budget('2', '1.5')]);
    expect([await told('day'), await told('month')]).toEqual([
      ['0', '1'],
      ['0', '1.5'],
    ]);
    await use(of, '400');
    expect([await told('day'), await told('month')]).toEqual([
      ['0.8', '1'],
      ['0.8', '1.5'],
    ]);
    await budgeted(of, 3, [budget('0.5', '1.5')]);
    expect(await told('day')).toEqual(['0.8', '0.5']);
    await budgeted(of, 4, []);
    expect(await told('day')).toEqual(['0.8', '1']);
  });

  it('starts from what its period debited, also while it was removed', async () => {
    const of = await introduce(ledger);
    await use(of, '100');
    await budgeted(of, 2, [budget(null, '5')]);
    expect(await told('month')).toEqual(['0.2', '5']);
    await use(of, '100');
    await budgeted(of, 3, []);
    await use(of, '100');
    expect(await told('month')).toEqual(['0.4', '5']);
    await budgeted(of, 4, [budget(null, '5')]);
    expect(await told('month')).toEqual(['0.6', '5']);
    expect(await told('day')).toBeNull();
  });

  it('outlives the plan, counts late usage, and an outdated fact of the customer changes nothing', async () => {
    const of = await introduce(ledger, { now: hours(30) });
    await budgeted(of, 3, [budget('4', '5')], 30);
    await budgeted(of, 2, [], 30);
    const moved = { ...subscriptionFacts(of.customerId, 'capped-more', hours(31)), version: 2 };
    await tell(ledger, of.tenantId, hours(31), 'subscription.changed', { subscription: moved });
    expect([await told('day'), await told('month')]).toEqual([
      ['0', '4'],
      ['0', '3'],
    ]);
    await use(of, '100', 30);
    expect([await told('day'), await told('month')]).toEqual([
      ['0.2', '4'],
      ['0.2', '3'],
    ]);
  });

  it('counts what slices charge while it is set', async () => {
    const of = await introduce(ledger);
    const other = assembleLedger(database, new ManualClock(START));
    const slices = Array.from({ length: 12 }, (_, i) =>
      (i % 2 === 0 ? ledger : other).slices.take([usageEvent(of, { tokens: '50' })], null),
    );
    await Promise.all([...slices, budgeted(of, 2, [budget('1', '9')])]);
    await other.feed.flush(null);
    expect([await told('day'), await told('month')]).toEqual([
      ['1.2', '1'],
      ['1.2', '9'],
    ]);
  });

  it('is lifted by a correction, whatever the plan has', async () => {
    const of = await introduce(ledger, { plan: 'capped' });
    await budgeted(of, 2, [budget(null, '5')]);
    const event = usageEvent(of, { tokens: '400' });
    await ledger.slices.take([event], null);
    await ledger.slices.take([correctionOf(event, { tokens: '100' })], null);
    expect([await told('day'), await told('month')]).toEqual([
      ['0.2', '1'],
      ['0.2', '5'],
    ]);
  });
});

const row = (fields: Partial<Price>): Price =>
  priceSchema.parse({ key: 'later_price', unit: 'USD', model: 'per_unit', amount: '2', ...fields });

async function applied(of: SampleTenant, revision: number, rows: readonly Price[]): Promise<void> {
  const catalog = { ...SAMPLE_CATALOG, prices: [...SAMPLE_CATALOG.prices, ...rows] };
  await tell(ledger, of.tenantId, START, 'catalog.applied', { revision, catalog });
}

async function announce(of: SampleTenant, rows: readonly Price[], id: string = randomUUID()) {
  return database.asTenant(of.tenantId, (tx) =>
    ledger.prices.announce(tx, { id, tenantId: of.tenantId, revision: 2, rows }),
  );
}

async function eventRows(of: SampleTenant) {
  const { rows } = await database.asTenant(of.tenantId, (tx) =>
    tx.query<{ id: string; amount: string | null; feature: string | null; journal: bigint }>(
      `select e.event_id as id, e.amount::float8::text as amount, e.feature,
              (select count(*) from journal j where j.wallet_id = e.wallet_id and j.slice_id = e.slice_id) as journal
         from usage_event e order by event_id`,
    ),
  );
  return rows.map(({ journal, ...one }) => ({ ...one, journal: Number(journal) }));
}

describe('a price row', () => {
  it('that appears charges what was parked, on the event’s own row and in its spend cap', async () => {
    const of = await introduce(ledger, { plan: 'waiting' });
    await ledger.slices.take([unpriced(of, '3', 'm1', 'a'), unpriced(of, '4', 'm2', 'b')], null);
    expect(await eventRows(of)).toEqual([
      { id: 'a', amount: '3', feature: 'unpriced', journal: 1 },
      { id: 'b', amount: null, feature: null, journal: 0 },
    ]);
    await applied(of, 2, [row({ match: {} })]);
    expect(await eventRows(of)).toContainEqual({ id: 'b', amount: '8', feature: 'unpriced', journal: 1 });
    expect(await debt(of)).toBe(11);
    expect(await lastFact('spend.changed', 'unpriced')).toMatchObject({ spent: '11' });
  });

  // match, from (hour), refused
  it.each([
    [{ model: 'm1' }, null, true],
    [{ model: 'm1' }, 0, true],
    [{ model: 'm1' }, 1, false],
    [{ model: 'm2' }, null, false],
    [{}, null, false],
  ])(
    'for %j from hour %j is refused where it would change what was charged: %j',
    async (match, from, refused) => {
      const of = await introduce(ledger, { plan: 'waiting' });
      await ledger.slices.take([unpriced(of, '3', 'm1', 'a')], null);
      const asked = row({ match, ...(from === null ? {} : { from: formatInstant(hours(from)) }) });
      const answer = await announce(of, [asked]);
      expect(answer).toEqual(
        refused
          ? {
              outcome: 'refused',
              rated: [
                {
                  key: 'later_price',
                  from: from === null ? null : formatInstant(hours(from)),
                  feature: 'unpriced',
                  earliest: formatInstant(START),
                },
              ],
            }
          : { outcome: 'announced' },
      );
    },
  );

  it('that was announced holds back what it would price until it comes, or is withdrawn', async () => {
    const of = await introduce(ledger, { plan: 'waiting' });
    const id = randomUUID();
    await announce(of, [row({ match: { model: 'm1' }, from: formatInstant(START) })], id);
    await ledger.slices.take([unpriced(of, '3', 'm1', 'a')], null);
    expect(await debt(of)).toBe(0);
    await database.asTenant(of.tenantId, (tx) => ledger.prices.withdraw(tx, of.tenantId, id, START));
    expect(await debt(of)).toBe(3);
    const late = row({ match: { model: 'm1' }, from: formatInstant(hours(1)) });
    expect(await announce(of, [late])).toEqual({ outcome: 'announced' });
    await ledger.slices.take([{ ...unpriced(of, '3', 'm1', 'b'), occurredAt: hours(2) }], null);
    expect(await debt(of)).toBe(3);
    await applied(of, 2, [late]);
    expect(await debt(of)).toBe(9);
  });

  it('is never in force beside usage that another row priced, whatever runs at once', async () => {
    const of = await introduce(ledger, { plan: 'waiting' });
    const rows = [row({ match: { model: 'm1' }, from: formatInstant(START) })];
    const slices = Array.from({ length: 12 }, (_, i) =>
      ledger.slices.take([unpriced(of, '1', 'm1', `e-${i}`)], null),
    );
    const answer = await announce(of, rows);
    if (answer.outcome === 'announced') await applied(of, 2, rows);
    await Promise.all(slices);
    const amounts = new Set((await eventRows(of)).map(({ amount }) => amount));
    expect(amounts).toEqual(new Set([answer.outcome === 'announced' ? '2' : '1']));
    expect(await debt(of)).toBe(answer.outcome === 'announced' ? 24 : 12);
  });
});
