import { startPostgres } from '@tallygate/infra-local';
import { fromMillis } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { ledgerProvisioning } from '@tallygate/ledger';
import { createTestDatabase } from '@tallygate/platform';
import { Engine } from './engine';
import type { Customer } from './workload';

/** Where the entries end, and where the balance is asked for: two years before. */
const END = '2029-01-01T00:00:00Z';
const ASKED = '2027-01-01T00:00:00Z';
const ROUNDS = 21;

/** Debits of one wallet over three years, each a little later than what it is for, as usage is. */
const ENTRIES = `
with w as (select id, tenant_id from wallet where customer_id = $1), l as (select l.id from lot l join w on l.wallet_id = w.id),
spent as (
  insert into journal (wallet_id, version, tenant_id, kind, posted_at, effective_at, lot_id, feature, free, held, debt, contra)
  select w.id, n + 1, w.tenant_id, 'debit', posted, posted - interval '10 minutes' * random(), l.id, 'completions',
         -(n % 900)::numeric / 1000, 0, 0, (n % 900)::numeric / 1000
    from w, l, generate_series(1, $2::integer) as n,
         lateral (select timestamptz '2026-01-01T01:00:00Z'
                         + (timestamptz '${END}' - timestamptz '2026-01-01T01:00:00Z') * (n::float8 / $2::float8)) as t (posted)
  returning free
), sum as (select sum(free) as free from spent), of_lot as (
  update lot set remaining = remaining + sum.free from sum where lot.id = (select id from l)
)
update wallet set version = $2::integer + 1, revision = $2::integer + 1, free = wallet.free + sum.free
  from sum where wallet.id = (select id from w)`;

export interface PastBalanceFigures {
  readonly entries: number;
  /** Milliseconds. */
  readonly withCheckpoints: { readonly median: number; readonly worst: number };
  readonly fromEntries: { readonly median: number; readonly worst: number };
}

/** A wallet's balance two years back, before and after its long journal has checkpoints. */
export async function benchPastBalance(entries: number): Promise<PastBalanceFigures> {
  const server = await startPostgres({ settings: { shared_buffers: '1GB', max_wal_size: '8GB' } });
  const test = await createTestDatabase(server, [ledgerProvisioning]);
  const engine = new Engine(test.url, test.roleSecret);
  try {
    const [customer] = await engine.prepare(1, 0);
    if (customer === undefined) throw new Error('No customer was prepared');
    await engine.fill(ENTRIES, [customer.customerId, entries]);
    await engine.fill('analyze journal', []);
    const fromEntries = await timesOf(engine, customer);
    await engine.checkpointAll();
    return { entries, withCheckpoints: await timesOf(engine, customer), fromEntries };
  } finally {
    await engine.close();
    await test.drop();
    await server.stop();
  }
}

async function timesOf(engine: Engine, customer: Customer): Promise<{ median: number; worst: number }> {
  const [at, knownAt] = [instantOf(ASKED), instantOf(END)];
  const wanted = await engine.sumOfEntries(customer, at);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    const found = await engine.pastBalance(customer, at, knownAt);
    times.push(performance.now() - begun);
    if (found !== wanted) throw new Error(`the balance was ${found} and its entries sum to ${wanted}`);
  }
  times.sort((a, b) => a - b);
  return { median: times[ROUNDS >> 1] ?? NaN, worst: times.at(-1) ?? NaN };
}

const instantOf = (text: string): Instant => fromMillis(Date.parse(text));

if (require.main === module) {
  void benchPastBalance(Number(process.argv[2] ?? 100_000)).then((figures) =>
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`),
  );
}
