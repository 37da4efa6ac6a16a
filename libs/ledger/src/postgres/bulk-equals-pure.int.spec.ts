import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { MeteredEvent } from '@tallygate/contracts';
import { ManualClock } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { ledgerProvisioning } from '../provisioning';
import { FailingDatabase } from '../testing/failing-database';
import { assembleLedger } from '../testing/ledger-under-test';
import type { LedgerUnderTest } from '../testing/ledger-under-test';
import { NaiveWallet } from '../testing/naive-model';
import { addCustomer, hours, introduce, START, usageEvent } from '../testing/sample';
import type { SampleTenant } from '../testing/sample';
import { PgWalletReadings } from './pg-wallet-readings';

let server: PostgresServer;
let test: TestDatabase;
let database: FailingDatabase;
let ledger: LedgerUnderTest;
let tenant: SampleTenant;

/** Everything of a history happens at one instant of the tenant's clock, after all events. */
const NOW_HOURS = 10;
const NOW = hours(NOW_HOURS);
/** What usage is of; every lot pays for it. */
const FEATURE = 'completions';

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  test = await createTestDatabase(server, [ledgerProvisioning]);
  database = new FailingDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
  ledger = assembleLedger(database, new ManualClock(START));
  tenant = await introduce(ledger);
  await ledger.time.set(tenant.tenantId, NOW);
});
afterAll(async () => {
  await database.close();
  await test.drop();
  await server.stop();
});

const step = fc.oneof(
  fc.record({
    kind: fc.constant('grant' as const),
    who: fc.nat(2),
    amount: fc.integer({ min: 1, max: 20 }),
    priority: fc.constantFrom(99, 100),
    start: fc.integer({ min: 0, max: 12 }),
    end: fc.option(fc.integer({ min: 13, max: 20 })),
    paid: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('slice' as const),
    events: fc.array(
      fc.record({
        who: fc.nat(2),
        tokens: fc.integer({ min: 1, max: 9_000 }),
        at: fc.integer({ min: 0, max: 10 }),
      }),
      { maxLength: 12 },
    ),
    repeat: fc.option(fc.nat(30)),
  }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly customers: SampleTenant[];
  readonly models = [new NaiveWallet(), new NaiveWallet(), new NaiveWallet()];
  private readonly sent: MeteredEvent[] = [];
  private grants = 0;

  constructor() {
    this.customers = this.models.map(() => ({ tenantId: tenant.tenantId, customerId: randomUUID() }));
    for (const model of this.models) model.waitUntil(NOW_HOURS);
  }

  async take(action: Step): Promise<void> {
    if (action.kind === 'grant') return this.grant(action);
    const events = action.events.map(({ who, tokens, at }) => {
      this.models[who]?.use(BigInt(tokens) * 2_000_000n, FEATURE, at);
      return usageEvent(this.customer(who), { tokens: String(tokens), occurredAt: hours(at) });
    });
    const again = action.repeat === null ? undefined : this.sent[action.repeat];
    this.sent.push(...events);
    await ledger.slices.take(again === undefined ? events : [...events, again], null);
  }

  async found(who: number): Promise<{ lots: Record<string, string>; debt: string }> {
    const { customerId } = this.customer(who);
    const { rows } = await database.asWorker((tx) =>
      tx.query<{ lots: Record<string, string> | null; debt: string | null }>(
        `select (select jsonb_object_agg(l.grant_key, (l.remaining * 1000000000)::bigint::text) from lot l where l.wallet_id = w.id) as lots,
                (w.debt * 1000000000)::bigint::text as debt
           from wallet w where w.customer_id = $1`,
        [customerId],
      ),
    );
    return { lots: rows[0]?.lots ?? {}, debt: rows[0]?.debt ?? '0' };
  }

  expected(who: number): { lots: Record<string, string>; debt: string } {
    const model = this.models[who] ?? new NaiveWallet();
    return {
      lots: Object.fromEntries(model.lots.map((lot) => [lot.key, String(lot.left)])),
      debt: String(model.owed),
    };
  }

  private customer(who: number): SampleTenant {
    return this.customers[who] ?? tenant;
  }

  private async grant(action: Extract<Step, { kind: 'grant' }>): Promise<void> {
    const key = `g-${(this.grants += 1)}-${this.customer(action.who).customerId}`;
    const amount = BigInt(action.amount) * 1_000_000_000n;
    const { priority, paid, start, end } = action;
    this.models[action.who]?.grant({
      key,
      left: amount,
      priority,
      start,
      end: end ?? Infinity,
      paid,
      feature: null,
    });
    const request = {
      ...this.customer(action.who),
      unit: 'USD',
      key,
      source: 'api',
      amount,
      kind: paid ? ('paid' as const) : ('promotional' as const),
      priority,
      effectiveAt: hours(start),
      expiresAt: end === null ? null : hours(end),
      features: null,
      recurrence: null,
      rollover: null,
    };
    await database.asWorker((tx) => ledger.grants.grant(tx, request, NOW as Instant));
  }
}

describe('the ledger on PostgreSQL', () => {
  it('ends every random history as the naive model does, with balanced books', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8, size: 'max' }), async (steps) => {
        const run = new Run();
        for (const customer of run.customers) await addCustomer(ledger, customer, 'payg', START);
        for (const action of steps) await run.take(action);
        for (const who of [0, 1, 2]) expect(await run.found(who)).toEqual(run.expected(who));
      }),
      { numRuns: 60 },
    );
    const readings = new PgWalletReadings(ledger.wallets);
    const verdict = await database.asWorker((tx) => readings.verify(tx, tenant.tenantId));
    expect(verdict).toEqual({ balanced: true, gapless: true });
  });

  it('keeps nothing of a slice whose connection is cut before any of its statements', async () => {
    const customer = { tenantId: tenant.tenantId, customerId: randomUUID() };
    await addCustomer(ledger, customer, 'payg', START);
    await database.asWorker((tx) => ledger.usage.takeOver(tx, 'cut', 0, 'me'));
    const position = { topic: 'cut', partition: 0, first: 0n, next: 1n, epoch: 1n };
    const events = [usageEvent(customer, { tokens: '500', occurredAt: NOW })];
    let cuts = 0;
    for (let applied = false; !applied; cuts += 1) {
      database.statementsLeft = cuts;
      applied = await ledger.slices.take(events, position).then(
        () => true,
        () => false,
      );
      database.statementsLeft = null;
      const { rows } = await database.asWorker((tx) =>
        tx.query<{ events: bigint; debt: string; next: bigint }>(
          `select (select count(*) from usage_event where customer_id = $1) as events,
                  coalesce((select sum(debt) from wallet where customer_id = $1), 0)::text as debt,
                  (select next_offset from consumer_offset where topic = 'cut') as next`,
          [customer.customerId],
        ),
      );
      expect({ ...rows[0], debt: Number(rows[0]?.debt) }).toEqual(
        applied ? { events: 1n, debt: 1, next: 1n } : { events: 0n, debt: 0, next: -1n },
      );
    }
    expect(cuts).toBeGreaterThan(8);
  });
});
