import { SystemClock } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import { createTestDatabase } from '@tallygate/platform';
import { ledgerProvisioning } from '@tallygate/ledger';
import { Controls } from './controls';
import { Engine } from './engine';
import { picker, sliceMessage } from './workload';
import type { Customer, Shape } from './workload';

/** PostgreSQL as one would run it for this load; the same server serves the controls and the engine. */
const SETTINGS = { shared_buffers: '1GB', max_wal_size: '8GB', checkpoint_timeout: '15min' };

interface Options extends Shape {
  readonly slices: number;
  readonly rounds: number;
}

interface Figure {
  readonly name: string;
  readonly eventsPerSecond: number;
}

type Take = (writer: number, message: Buffer) => Promise<number>;

/** Slices of a few rounds, alternating between the contenders, so that a noisy machine is noisy for all of them. */
export async function benchLedger(options: Options): Promise<Figure[]> {
  const server = await startPostgres({ settings: SETTINGS });
  const test = await createTestDatabase(server, [ledgerProvisioning]);
  const engine = new Engine(test.url, test.roleSecret);
  const controls = new Controls(test.url);
  try {
    const customers = await engine.prepare(options.customers, options.writers);
    await controls.prepare(customers, options.writers);
    const pools = Array.from({ length: options.writers }, (_, writer) =>
      customers.filter((_customer, i) => i % options.writers === writer),
    );
    const ceiling: Take = (writer, message) => controls.slice(writer, message);
    const ledger: Take = (writer, message) => engine.slice(writer, message);
    const row: Take = (writer, message) => controls.rowAtATime(writer, message);
    await race(ceiling, pools, { ...options, slices: 5 });
    await race(ledger, pools, { ...options, slices: 5 });
    const sums = { ceiling: 0, ledger: 0 };
    for (let round = 0; round < options.rounds; round += 1) {
      sums.ceiling += await race(ceiling, pools, options);
      const flushing = setInterval(() => void engine.flush(), 1_000);
      const endFolding = engine.foldBeside();
      sums.ledger += await race(ledger, pools, options);
      await endFolding();
      clearInterval(flushing);
      await engine.flush();
    }
    const slow = await race(row, pools, { ...options, slices: 1, sliceSize: 1_000 });
    return [
      { name: 'ceiling', eventsPerSecond: sums.ceiling / options.rounds },
      { name: 'row at a time', eventsPerSecond: slow },
      { name: 'ledger', eventsPerSecond: sums.ledger / options.rounds },
    ];
  } finally {
    await controls.close();
    await engine.close();
    await test.drop();
    await server.stop();
  }
}

/** @returns events a second of all writers together */
async function race(
  take: Take,
  pools: readonly Customer[][],
  options: Shape & { slices: number },
): Promise<number> {
  const now = new SystemClock().now();
  const messages = pools.map((pool) => {
    const pick = picker(pool, options.zipf);
    return Array.from({ length: options.slices }, () => sliceMessage(pick, options, now));
  });
  const start = performance.now();
  const taken = await Promise.all(
    messages.map(async (own, writer) => {
      let events = 0;
      for (const message of own) events += await take(writer, message);
      return events;
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  return taken.reduce((sum, events) => sum + events, 0) / seconds;
}

function optionsOf(args: readonly string[]): Options {
  const value = (name: string, otherwise: number): number => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? otherwise : Number(args[at + 1]);
  };
  return {
    customers: value('customers', 1_000),
    zipf: value('zipf', 0),
    randomIds: args.includes('--random-ids'),
    sliceSize: value('slice', 4_000),
    writers: value('writers', 2),
    slices: value('slices', 25),
    rounds: value('rounds', 3),
  };
}

if (require.main === module) {
  const options = optionsOf(process.argv.slice(2));
  void benchLedger(options).then((figures) => {
    const ceiling = figures[0]?.eventsPerSecond ?? 1;
    const row = figures[1]?.eventsPerSecond ?? 1;
    const ledger = figures[2]?.eventsPerSecond ?? 0;
    const ratios = { ledger_to_ceiling: ledger / ceiling, ledger_to_row: ledger / row };
    process.stdout.write(`${JSON.stringify({ options, figures, ratios }, null, 2)}\n`);
  });
}
