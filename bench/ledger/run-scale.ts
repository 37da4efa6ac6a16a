import { startPostgres } from '@tallygate/infra-local';
import { ledgerProvisioning } from '@tallygate/ledger';
import { createTestDatabase } from '@tallygate/platform';
import { Client } from 'pg';
import { Controls } from './controls';
import { Engine } from './engine';
import { poolsOf, race, SETTINGS } from './race';
import type { Take } from './race';
import type { Customer } from './workload';

const WRITERS = 2;
const SHAPE = { zipf: 0, randomIds: true, sliceSize: 4_000, writers: WRITERS };
/** So many rows are stored by one statement. */
const FILL = 1_000_000;

export interface ScaleOptions {
  readonly customers: number;
  /** Events that are stored before the second races. */
  readonly stored: number;
  readonly slices: number;
  readonly rounds: number;
}

/** Events a second, the medians of alternating rounds. */
export interface Pace {
  readonly ledger: number;
  readonly ceiling: number;
}

export interface ScaleFigures {
  readonly manyCustomers: Pace;
  readonly manyEvents: Pace;
}

/** The ledger and the ceiling from memory, over many customers, and once more when each has stored many events. */
export async function benchScale(options: ScaleOptions): Promise<ScaleFigures> {
  const server = await startPostgres({ settings: SETTINGS });
  const test = await createTestDatabase(server, [ledgerProvisioning]);
  const engine = new Engine(test.url, test.roleSecret);
  const controls = new Controls(test.url);
  try {
    const customers = await engine.prepare(options.customers, WRITERS);
    await controls.prepare(customers, WRITERS);
    await settle(test.url);
    const pools = poolsOf(customers, WRITERS);
    const manyCustomers = await paceOf(engine, controls, pools, options);
    for (let stored = 0; stored < options.stored; stored += FILL) {
      await engine.store(stored, Math.min(FILL, options.stored - stored));
      await controls.store(Math.min(FILL, options.stored - stored));
    }
    await settle(test.url);
    return { manyCustomers, manyEvents: await paceOf(engine, controls, pools, options) };
  } finally {
    await controls.close();
    await engine.close();
    await test.drop();
    await server.stop();
  }
}

/** What filling left to do is done before anything is timed. */
async function settle(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('vacuum (analyze)');
  await client.query('checkpoint');
  await client.end();
}

async function paceOf(
  engine: Engine,
  controls: Controls,
  pools: readonly Customer[][],
  { customers, slices, rounds }: ScaleOptions,
): Promise<Pace> {
  const ceilingTake: Take = (writer, message) => controls.slice(writer, message);
  const ledgerTake: Take = (writer, message) => engine.slice(writer, message);
  const shape = { ...SHAPE, customers, slices };
  await race(ceilingTake, pools, { ...shape, slices: 5 });
  await race(ledgerTake, pools, { ...shape, slices: 5 });
  const ceiling: number[] = [];
  const ledger: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ceiling.push(await race(ceilingTake, pools, shape));
    ledger.push(await engine.besideUpkeep(() => race(ledgerTake, pools, shape)));
  }
  return { ledger: middle(ledger), ceiling: middle(ceiling) };
}

const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;

if (require.main === module) {
  const value = (name: string, otherwise: number): number => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? otherwise : Number(process.argv[at + 1]);
  };
  const options = {
    customers: value('customers', 1_000_000),
    stored: value('stored', 20_000_000),
    slices: value('slices', 25),
    rounds: value('rounds', 3),
  };
  void benchScale(options).then((figures) =>
    process.stdout.write(`${JSON.stringify({ options, figures }, null, 2)}\n`),
  );
}
