import { startPostgres } from '@tallygate/infra-local';
import { createTestDatabase } from '@tallygate/platform';
import { ledgerProvisioning } from '@tallygate/ledger';
import { Controls } from './controls';
import { Engine } from './engine';
import { poolsOf, race, SETTINGS } from './race';
import type { Take } from './race';
import type { Shape } from './workload';

interface Options extends Shape {
  readonly slices: number;
  readonly rounds: number;
}

interface Figure {
  readonly name: string;
  readonly eventsPerSecond: number;
}

/** Slices of a few rounds, alternating between the contenders, so that a noisy machine is noisy for all of them. */
export async function benchLedger(options: Options): Promise<Figure[]> {
  const server = await startPostgres({ settings: SETTINGS });
  const test = await createTestDatabase(server, [ledgerProvisioning]);
  const engine = new Engine(test.url, test.roleSecret);
  const controls = new Controls(test.url);
  try {
    const customers = await engine.prepare(options.customers, options.writers);
    await controls.prepare(customers, options.writers);
    const pools = poolsOf(customers, options.writers);
    const ceiling: Take = (writer, message) => controls.slice(writer, message);
    const ledger: Take = (writer, message) => engine.slice(writer, message);
    const row: Take = (writer, message) => controls.rowAtATime(writer, message);
    await race(ceiling, pools, { ...options, slices: 5 });
    await race(ledger, pools, { ...options, slices: 5 });
    const sums = { ceiling: 0, ledger: 0 };
    for (let round = 0; round < options.rounds; round += 1) {
      sums.ceiling += await race(ceiling, pools, options);
      sums.ledger += await engine.besideUpkeep(() => race(ledger, pools, options));
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
