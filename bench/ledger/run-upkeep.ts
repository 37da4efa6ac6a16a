import { SystemClock, addMicros, MICROS } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import { PgDatabase, createTestDatabase, silentLog } from '@tallygate/platform';
import { ledgerProvisioning } from '@tallygate/ledger';
import { Client } from 'pg';
import { Engine, PgGenerationStore, PgJournalSeals, UsageGenerations } from './engine';
import { picker, sliceMessage } from './workload';
import type { Customer, Shape } from './workload';

const SETTINGS = { shared_buffers: '1GB', max_wal_size: '8GB', checkpoint_timeout: '15min' };

interface Options extends Shape {
  readonly slices: number;
}

type Figures = Record<string, number>;

/**
 * What the ledger does beside the load, and what it costs: sealing, sizes, the look-up in an older generation, and
 * opening a generation while slices run.
 */
export async function benchUpkeep(options: Options): Promise<Figures> {
  const server = await startPostgres({ settings: SETTINGS });
  const test = await createTestDatabase(server, [ledgerProvisioning]);
  const engine = new Engine(test.url, test.roleSecret);
  const database = new PgDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
  const owner = new Client({ connectionString: test.url });
  await owner.connect();
  try {
    const customers = await engine.prepare(options.customers, options.writers);
    await load(engine, customers, { ...options, slices: 5 });
    const alone = await load(engine, customers, options);
    const sealed = await seal(database);
    const sizes = await sizesOf(owner);
    const opening = await openUnderLoad(engine, database, test.url, customers, options);
    const behindAnother = await load(engine, customers, options);
    return {
      ...sizes,
      ...sealed,
      'events a second in the first generation': alone,
      'events a second with one before to look into': behindAnother,
      ...opening,
    };
  } finally {
    await owner.end();
    await database.close();
    await engine.close();
    await test.drop();
    await server.stop();
  }
}

/** @returns events a second of all writers together */
async function load(engine: Engine, customers: readonly Customer[], options: Options): Promise<number> {
  const now = new SystemClock().now();
  const start = performance.now();
  const writers = Array.from({ length: options.writers }, async (_, writer) => {
    const pick = picker(
      customers.filter((_customer, i) => i % options.writers === writer),
      options.zipf,
    );
    for (let slice = 0; slice < options.slices; slice += 1)
      await engine.slice(writer, sliceMessage(pick, options, now));
  });
  await Promise.all(writers);
  return (options.writers * options.slices * options.sliceSize * 1000) / (performance.now() - start);
}

async function seal(database: PgDatabase): Promise<Figures> {
  const seals = new PgJournalSeals();
  const start = performance.now();
  let rows = 0n;
  for (let found = 1n; found > 0n;) {
    found = await database.asWorker(async (tx) => {
      await seals.begin(tx);
      return (await seals.seal(tx, 0n, new SystemClock().now())).rows;
    });
    rows += found;
  }
  const ms = performance.now() - start;
  return { 'journal rows sealed': Number(rows), 'µs to seal a row': (ms * 1000) / Number(rows) };
}

async function sizesOf(owner: Client): Promise<Figures> {
  const { rows } = await owner.query<Record<string, number>>(
    `select (select count(*) from ledger.usage_event)::int as events, (select count(*) from ledger.journal)::int as entries,
            (select count(*) from ledger.journal_seal_part)::int as parts,
            pg_table_size('ledger.usage_event_1')::float8 as heap, pg_indexes_size('ledger.usage_event_1')::float8 as indexes,
            pg_total_relation_size('ledger.journal')::float8 as journal,
            pg_total_relation_size('ledger.journal_seal_part')::float8 as seals`,
  );
  const { events = 1, entries = 1, parts = 1, heap = 0, indexes = 0, journal = 0, seals = 0 } = rows[0] ?? {};
  return {
    'bytes of an event': heap / events,
    'bytes of its indexes': indexes / events,
    'bytes of a journal row, index included': journal / entries,
    'bytes of seals a journal row': seals / entries,
    'bytes of seals a wallet and pass': seals / parts,
  };
}

async function openUnderLoad(
  engine: Engine,
  database: PgDatabase,
  url: string,
  customers: readonly Customer[],
  options: Options,
): Promise<Figures> {
  const asOwner = async (work: (client: Client) => Promise<void>): Promise<void> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    await work(client).finally(() => client.end());
  };
  const generations = new UsageGenerations(database, new PgGenerationStore('ledger', asOwner), silentLog);
  const start = new SystemClock().now();
  const later = addMicros(start, 36 * MICROS.day);
  await generations.maintain(start);
  const running = load(engine, customers, options);
  const creating = await timed(() => generations.maintain(start));
  let tries = 0;
  const opening = await timed(async () => {
    for (let done = false; !done; tries += 1) done = (await generations.maintain(later)).includes('open');
  });
  await running;
  return {
    'ms to make the next generation under load': creating,
    'ms to open it under load': opening,
    'tries to open it': tries,
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

if (require.main === module) {
  const value = (name: string, otherwise: number): number => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? otherwise : Number(process.argv[at + 1]);
  };
  const options = {
    customers: value('customers', 1_000),
    zipf: 0,
    randomIds: true,
    sliceSize: 4_000,
    writers: 2,
    slices: value('slices', 50),
  };
  void benchUpkeep(options).then((figures) => {
    for (const [name, figure] of Object.entries(figures))
      process.stdout.write(`${name.padEnd(48)}${figure.toFixed(1)}\n`);
  });
}
