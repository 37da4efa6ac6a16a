import { randomUUID } from 'node:crypto';
import type { MeteredEvent } from '@tallygate/contracts';
import { formatInstant, SystemClock } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { PgDatabase, silentLog } from '@tallygate/platform';
/* eslint-disable @nx/enforce-module-boundaries -- the ledger’s own parts and their assembly for tests, which no barrel offers */
export { PgGenerationStore } from '../../libs/ledger/src/postgres/pg-generation.store';
export { PgJournalSeals } from '../../libs/ledger/src/postgres/pg-journal-seals';
export { UsageGenerations } from '../../libs/ledger/src/service/usage-generations';
import { assembleLedger } from '../../libs/ledger/src/testing/ledger-under-test';
import type { LedgerUnderTest } from '../../libs/ledger/src/testing/ledger-under-test';
import { PgMeterHistory } from '../../libs/ledger/src/postgres/pg-meter-history';
import { PgUsageReadings } from '../../libs/ledger/src/postgres/pg-usage-readings';
import { PgWalletReadings } from '../../libs/ledger/src/postgres/pg-wallet-readings';
import { PgUsageRollupStore } from '../../libs/ledger/src/postgres/pg-usage-rollup.store';
import { UsageQuery } from '../../libs/ledger/src/service/usage-query.service';
import type { UsageRequest, UsageResult } from '../../libs/ledger/src/service/usage-query.service';
import { UsageRollupLoop } from '../../libs/ledger/src/service/usage-rollup-loop';
import { at, introduce } from '../../libs/ledger/src/testing/sample';
/* eslint-enable @nx/enforce-module-boundaries */
import type { Customer } from './workload';

const SINCE = at('2026-01-01T00:00:00Z');
/** Events of a stored slice. */
const SLICE = 4_000;
const STORED = `
with customer as (
  select tenant_id, customer_id, id as wallet_id, row_number() over (order by id) - 1 as place from wallet
), event as (
  select n, n % (select count(*) from wallet) as place from generate_series($1::bigint, $1::bigint + $2::bigint - 1) as n
)
insert into usage_event (generation, identity, ordinal, payload, tenant_id, customer_id, source, event_id, meter, quantity, grp,
                         occurred_at, slice_id, position, wallet_id, feature, amount)
select 1, gen_random_uuid(), 0, gen_random_uuid(), c.tenant_id, c.customer_id, 'stored', gen_random_uuid()::text, 'tokens',
       100 + n % 900, '{"model": "m1"}', timestamptz '2026-02-01T00:00:00Z' + n * interval '1 millisecond', -1 - n / $3::integer,
       n % $3::integer, c.wallet_id, 'completions', (100 + n % 900) * 0.002
  from event
  join customer c using (place)`;

export type UsageQuestion = Omit<UsageRequest, 'tenantId' | 'customerId'>;

/** The ledger's own slice processor, fed from memory. */
export class Engine {
  private readonly database: PgDatabase;
  private readonly ledger: LedgerUnderTest;
  private readonly offsets: bigint[] = [];

  constructor(url: string, roleSecret: string) {
    this.database = new PgDatabase({ url, schema: 'ledger', roleSecret });
    this.ledger = assembleLedger(this.database, new SystemClock());
  }

  /** Customers with a subscription and a grant each, written in bulk: a million by the use cases would take an hour. */
  async prepare(count: number, writers: number): Promise<Customer[]> {
    const { tenantId, customerId } = await introduce(this.ledger, { testClock: false, now: SINCE });
    const customers = Array.from({ length: count }, () => ({ tenantId, customerId: randomUUID() }));
    for (let from = 0; from < count; from += 10_000)
      await this.enrol(customers.slice(from, from + 10_000), customerId);
    for (let writer = 0; writer < writers; writer += 1) {
      await this.database.asWorker((tx) => this.ledger.usage.takeOver(tx, 'bench', writer, 'bench'));
      this.offsets.push(0n);
    }
    return customers;
  }

  async slice(writer: number, message: Buffer): Promise<number> {
    const events = JSON.parse(message.toString()) as MeteredEvent[];
    const first = this.offsets[writer] ?? 0n;
    const position = { topic: 'bench', partition: writer, first, next: first + 1n, epoch: 1n };
    const outcome = await this.ledger.slices.take(events, position);
    if (outcome.status !== 'applied' || outcome.accepted !== events.length)
      throw new Error(JSON.stringify(outcome));
    this.offsets[writer] = first + 1n;
    return events.length;
  }

  /** With usage rolled up and facts handed out beside the work, as in the running service. */
  async besideUpkeep<T>(work: () => Promise<T>): Promise<T> {
    const folding = new UsageRollupLoop(new PgUsageRollupStore(), this.database, silentLog);
    folding.start();
    const flushing = setInterval(() => void this.flush(), 1_000);
    try {
      return await work();
    } finally {
      await folding.onApplicationShutdown();
      clearInterval(flushing);
      await this.flush();
    }
  }

  /** Usage of every customer in turn, stored as slices store it. @param from how many were stored before */
  async store(from: number, count: number): Promise<void> {
    await this.fill(STORED, [from, count, SLICE]);
  }

  /** As the running service does every second. */
  async flush(): Promise<number> {
    return this.ledger.feed.flush(null);
  }

  /** Folds everything in; @returns how long it took, in milliseconds. */
  async foldAll(): Promise<number> {
    const rollup = new PgUsageRollupStore();
    const begun = performance.now();
    while ((await this.database.asWorker((tx) => rollup.fold(tx, 64))).folded > 0);
    return performance.now() - begun;
  }

  async usage(of: Customer, question: UsageQuestion): Promise<UsageResult> {
    const query = new UsageQuery(new PgUsageReadings(), new PgMeterHistory());
    const request = { ...of, ...question };
    const now = new SystemClock().now();
    return this.database.asTenant(of.tenantId, (tx) => query.ask(tx, request, now));
  }

  /** As the running service does once a minute, a checkpoint of each wallet at a time. */
  async checkpointAll(): Promise<void> {
    while ((await this.ledger.checkpoints.write()) > 0);
  }

  /** Of the customer's only wallet: what was available at `at`, of what was posted by `knownAt`. */
  async pastBalance({ tenantId, customerId }: Customer, at: Instant, knownAt: Instant): Promise<Nano> {
    const readings = new PgWalletReadings(this.ledger.wallets);
    const { available } = await this.database.asTenant(tenantId, async (tx) => {
      const { rows } = await tx.query<{ id: bigint }>('select id from wallet where customer_id = $1', [
        customerId,
      ]);
      return readings.past(tx, rows[0]?.id ?? 0n, at, knownAt);
    });
    return available;
  }

  /** The same from the journal alone, for a wallet whose grants were posted before. */
  async sumOfEntries({ customerId }: Customer, at: Instant): Promise<Nano> {
    const { rows } = await this.database.asWorker((tx) =>
      tx.query<{ nano: string }>(
        `select (sum(j.free - j.debt) * 1000000000)::numeric(50,0)::text as nano from journal j join wallet w on w.id = j.wallet_id
          where w.customer_id = $1 and j.effective_at <= $2`,
        [customerId, formatInstant(at)],
      ),
    );
    return BigInt(rows[0]?.nano ?? 0);
  }

  /** @param text with what it needs in `values` */
  async fill(text: string, values: readonly unknown[]): Promise<void> {
    await this.database.asWorker((tx) => tx.query(text, [...values]));
  }

  async close(): Promise<void> {
    await this.database.close();
  }

  private async enrol(customers: readonly Customer[], template: string): Promise<void> {
    const ids = customers.map((customer) => customer.customerId);
    await this.database.asWorker(async (tx) => {
      await tx.query(
        `insert into subscription_version
         select s.tenant_id, c.id, gen_random_uuid(), s.version, s.effective_at, s.started_at, s.ended_at, s.anchor,
                s.period_start, s.period_end, s.in_force, s.zone, s.terms_id
           from subscription_version s, unnest($2::uuid[]) as c (id) where s.customer_id = $1`,
        [template, ids],
      );
      await tx.query(
        `with w as (
           insert into wallet (tenant_id, customer_id, unit, version, revision, published_revision, free)
           select $1, c.id, 'USD', 1, 1, 1, 1000000000 from unnest($2::uuid[]) as c (id) returning id, tenant_id
         ), g as (
           insert into credit_grant (id, tenant_id, wallet_id, key, source, kind, priority, amount, effective_at, created_at)
           select gen_random_uuid(), tenant_id, id, 'bench-' || id, 'api', 'paid', 100, 1000000000, $3, $3 from w
           returning id, tenant_id, wallet_id, key, amount
         ), l as (
           insert into lot (id, tenant_id, wallet_id, grant_id, grant_key, kind, priority, effective_at, amount, remaining, held, state, live)
           select gen_random_uuid(), tenant_id, wallet_id, id, key, 'paid', 100, $3, amount, amount, 0, 'live', true from g
           returning id, tenant_id, wallet_id, amount
         )
         insert into journal (wallet_id, version, tenant_id, kind, posted_at, effective_at, lot_id, free, held, debt, contra)
         select wallet_id, 1, tenant_id, 'grant', $3, $3, id, amount, 0, 0, -amount from l`,
        [customers[0]?.tenantId, ids, '2026-01-01T00:00:00Z'],
      );
    });
  }
}
