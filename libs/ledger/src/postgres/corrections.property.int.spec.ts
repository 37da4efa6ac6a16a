import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { MeteredEvent } from '@tallygate/contracts';
import { ManualClock } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase, PgDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { ledgerProvisioning } from '../provisioning';
import { assembleLedger } from '../testing/ledger-under-test';
import type { LedgerUnderTest } from '../testing/ledger-under-test';
import { PlainWallet } from '../testing/naive-corrections';
import type { PlainEvent, PlainLot } from '../testing/naive-corrections';
import { correctionOf, hours, introduce, START, usageEvent } from '../testing/sample';
import type { SampleTenant } from '../testing/sample';
import { PgWalletReadings } from './pg-wallet-readings';

let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let ledger: LedgerUnderTest;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  test = await createTestDatabase(server, [ledgerProvisioning]);
  database = new PgDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
  ledger = assembleLedger(database, new ManualClock(START));
});
afterAll(async () => {
  await database.close();
  await test.drop();
  await server.stop();
});

const NOW = 10;
const LATER = 30;
/** Billionths of a USD that a token costs. */
const TOKEN = 2_000_000n;

const tokens = fc.integer({ min: 1, max: 9_000 });
const step = fc.oneof(
  fc.record({
    kind: fc.constant('grant' as const),
    amount: fc.integer({ min: 1, max: 20 }),
    priority: fc.constantFrom(99, 100),
    start: fc.integer({ min: 0, max: 12 }),
    end: fc.option(fc.integer({ min: 31, max: 40 })),
  }),
  fc.record({
    kind: fc.constant('slice' as const),
    items: fc.array(
      fc.oneof(
        fc.record({ use: tokens }),
        fc.record({ correct: fc.nat(20), to: fc.option(fc.integer({ min: 0, max: 9_000 })) }),
      ),
      { minLength: 1, maxLength: 6 },
    ),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Item = Extract<Step, { kind: 'slice' }>['items'][number];

/** One customer's history, told to the ledger and to the plain model; usage comes in the order of its time. */
class Run {
  readonly model = new PlainWallet(1);
  readonly events: { metered: MeteredEvent; plain: PlainEvent; tokens: number }[] = [];
  private used = 0;
  private grants = 0;
  now = NOW;

  /** @param dearer whether amendments may make an event dearer */
  constructor(
    readonly of: SampleTenant,
    private readonly dearer = false,
  ) {}

  async take(action: Step): Promise<void> {
    if (action.kind === 'grant') return this.grant(action);
    await this.slice(action.items.map((item) => this.told(item)).filter((one) => one !== null));
  }

  async slice(events: readonly MeteredEvent[]): Promise<void> {
    const outcome = await ledger.slices.take(events, null);
    expect(outcome).toMatchObject({ accepted: events.length, rejected: 0 });
  }

  /** What the model does at once, the ledger does with its slice. */
  told(item: Item): MeteredEvent | null {
    if ('use' in item) {
      this.used += 1;
      const at = this.used / 20;
      const metered = usageEvent(this.of, { tokens: String(item.use), occurredAt: hours(at) });
      const plain = this.model.use(BigInt(item.use) * TOKEN, at, this.now);
      this.events.push({ metered, plain, tokens: item.use });
      return metered;
    }
    const target = this.events[item.correct];
    if (target === undefined) return null;
    const to = item.to === null || this.dearer ? item.to : Math.min(item.to, target.tokens);
    return this.correct(target, to);
  }

  correct(target: Run['events'][number], to: number | null): MeteredEvent {
    if (!target.plain.reversed) {
      this.model.correct(target.plain, BigInt(to ?? 0) * TOKEN, this.now);
      target.tokens = to ?? 0;
    }
    if (to === null) target.plain.reversed = true;
    return correctionOf(target.metered, to === null ? null : { tokens: String(to) });
  }

  async wait(): Promise<void> {
    this.model.wait(this.now, LATER);
    this.now = LATER;
    await ledger.time.set(this.of.tenantId, hours(LATER));
    await ledger.sweeper.sweep(this.of.tenantId, hours(LATER));
  }

  async found(): Promise<{ lots: Record<string, string>; debt: string; used: string }> {
    const { rows } = await database.asWorker((tx) =>
      tx.query<{ lots: Record<string, string> | null; debt: string | null; used: string | null }>(
        `select (select jsonb_object_agg(l.grant_key, (l.remaining * 1000000000)::bigint::text)
                   from lot l join wallet w on w.id = l.wallet_id where w.customer_id = $1) as lots,
                (select (debt * 1000000000)::bigint::text from wallet where customer_id = $1) as debt,
                (select trunc(sum(quantity))::text from usage_event where customer_id = $1 and meter = 'tokens') as used`,
        [this.of.customerId],
      ),
    );
    const [row] = rows;
    return { lots: row?.lots ?? {}, debt: row?.debt ?? '0', used: row?.used ?? '0' };
  }

  expected(): { lots: Record<string, string>; debt: string; used: string } {
    const lots = Object.fromEntries(this.model.lots.map((lot) => [lot.key, String(lot.left)]));
    const used = this.events.reduce((sum, event) => sum + event.tokens, 0);
    return { lots, debt: String(this.model.owed), used: String(used) };
  }

  /** Rows of the journal whose events do not add up to them. */
  async untraced(): Promise<string[]> {
    return database.asWorker(async (tx) => {
      const { rows } = await tx.query<{ wallet_id: bigint; version: bigint; kind: string; size: string }>(
        `select j.wallet_id, j.version, j.kind, (abs(case when j.lot_id is null then j.debt else j.free end) * 1000000000)::bigint::text as size
           from journal j join wallet w on w.id = j.wallet_id
          where w.customer_id = $1 and j.kind in ('usage', 'debt', 'correction', 'repayment')`,
        [this.of.customerId],
      );
      const wrong: string[] = [];
      for (const { wallet_id: walletId, version, kind, size } of rows) {
        const traced = await ledger.attribution.entry(tx, walletId, Number(version));
        const sum = (traced?.events ?? []).reduce((total, one) => total + one.amount, 0n);
        if (String(sum) !== size) wrong.push(`${kind} ${version}: ${sum} of ${size}`);
      }
      return wrong;
    });
  }

  /** Events whose credit and debt do not add up to what they cost. */
  async unaccounted(): Promise<string[]> {
    return database.asWorker(async (tx) => {
      const wrong: string[] = [];
      for (const { metered, tokens: used } of this.events) {
        const [named] = ledger.usage.identify([metered]);
        const account = await ledger.attribution.event(tx, this.of.tenantId, named?.identity ?? '');
        const [charge] = account?.charges ?? [];
        const drawn = charge?.draws.reduce((sum, draw) => sum + draw.amount, 0n) ?? 0n;
        const cost = BigInt(used) * TOKEN;
        if ((charge?.amount ?? 0n) !== cost || drawn + (charge?.owed ?? 0n) !== cost)
          wrong.push(`${metered.id}: ${drawn} + ${charge?.owed} of ${cost}`);
      }
      return wrong;
    });
  }

  private async grant(action: Extract<Step, { kind: 'grant' }>): Promise<void> {
    this.grants += 1;
    const key = `g-${this.grants}-${this.of.customerId}`;
    const amount = BigInt(action.amount) * 1_000_000_000n;
    const { priority, start } = action;
    // One in two ends before the wait, so that what comes back to it later is gone.
    const end = action.end === null ? null : action.end % 2 === 0 ? action.end : action.end - 16;
    const lot: PlainLot = { key, left: amount, priority, start, end: end ?? Infinity, closed: false };
    this.model.grant(lot, this.now);
    const request = {
      ...this.of,
      unit: 'USD',
      key,
      source: 'api',
      amount,
      kind: 'promotional' as const,
      priority,
      effectiveAt: hours(start),
      expiresAt: end === null ? null : hours(end),
      features: null,
      recurrence: null,
      rollover: null,
    };
    await database.asWorker((tx) => ledger.grants.grant(tx, request, hours(this.now)));
  }
}

async function newRun(dearer = false): Promise<Run> {
  const of = await introduce(ledger, { customerId: randomUUID() });
  await ledger.time.set(of.tenantId, hours(NOW));
  return new Run(of, dearer);
}

async function booksOf({ tenantId }: SampleTenant) {
  const readings = new PgWalletReadings(ledger.wallets);
  return database.asWorker((tx) => readings.verify(tx, tenantId));
}

const histories = fc.array(step, { minLength: 1, maxLength: 8, size: 'max' });

describe('corrections on PostgreSQL', () => {
  it('end every random history as the plain model does, before and after lots ended, with balanced books', async () => {
    await fc.assert(
      fc.asyncProperty(
        histories,
        fc.array(fc.record({ which: fc.nat(20), to: fc.option(tokens) })),
        async (steps, late) => {
          const run = await newRun();
          for (const action of steps) await run.take(action);
          expect(await run.found()).toEqual(run.expected());
          await run.wait();
          expect(await run.found()).toEqual(run.expected());
          for (const { which, to } of late) {
            const told = run.told({ correct: which, to });
            if (told !== null) await run.slice([told]);
          }
          expect(await run.found()).toEqual(run.expected());
          expect(await booksOf(run.of)).toEqual({ balanced: true, gapless: true });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('keep the books whatever becomes dearer: what is left is what was granted less what was used', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const run = await newRun(true);
        for (const action of steps) await run.take(action);
        const { rows } = await database.asWorker((tx) =>
          tx.query<{ balance: string | null; granted: string | null }>(
            `select (select trunc((free - debt) * 1000000000)::text from wallet where customer_id = $1) as balance,
                    (select trunc(sum(l.amount) * 1000000000)::text from lot l join wallet w on w.id = l.wallet_id
                      where w.customer_id = $1) as granted`,
            [run.of.customerId],
          ),
        );
        const used = run.events.reduce((sum, event) => sum + BigInt(event.tokens), 0n) * TOKEN;
        expect(BigInt(rows[0]?.balance ?? 0)).toBe(BigInt(rows[0]?.granted ?? 0) - used);
        expect((await run.found()).used).toBe(run.expected().used);
        expect(await booksOf(run.of)).toEqual({ balanced: true, gapless: true });
      }),
      { numRuns: 25 },
    );
  });

  it('leave every debit traced to its events and back, debts and their repayments too', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const run = await newRun(true);
        for (const action of steps) await run.take(action);
        expect(await run.untraced()).toEqual([]);
        expect(await run.unaccounted()).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('give everything back when everything is reversed: the wallet is as it was granted', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const run = await newRun(true);
        for (const action of steps) await run.take(action);
        for (const event of run.events) await run.slice([run.correct(event, null)]);
        const { rows } = await database.asWorker((tx) =>
          tx.query<{ whole: boolean | null; debt: string | null; used: string | null }>(
            `select (select bool_and(l.remaining = l.amount) from lot l join wallet w on w.id = l.wallet_id
                      where w.customer_id = $1) as whole,
                    (select sum(debt)::text from wallet where customer_id = $1) as debt,
                    (select sum(quantity)::text from usage_event where customer_id = $1) as used`,
            [run.of.customerId],
          ),
        );
        expect(rows[0]?.whole ?? true).toBe(true);
        expect(Number(rows[0]?.debt ?? 0)).toBe(0);
        expect(rows[0]?.used).toBeNull();
      }),
      { numRuns: 25 },
    );
  });
});
