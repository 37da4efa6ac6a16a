import { EmbeddedStack, LiveTenant, cloudEvent } from '@tallygate/testing';
import { below, reading } from '../figure';
import type { Figure, Reading } from '../figure';
import { Processes } from '../processes';
import type { Setting } from '../setting';

const BATCHES = 20;
const EVENTS = 500;
const CUSTOMERS = 20;

/** Those through whose hands every event goes. */
const CARRIERS = ['ingestion', 'ledger'];

export interface Held {
  /** Debited by then. */
  readonly events: number;
  /** Resident megabytes by process. */
  readonly megabytes: ReadonlyMap<string, number>;
}

/** What the real stack's processes hold at this moment. */
export async function held({ stack, debits }: Setting): Promise<Held> {
  const events = await debits.count();
  const processes = await Processes.now();
  return {
    events,
    megabytes: new Map([...stack.pids()].map(([name, pid]) => [name, processes.residentMb(pid)])),
  };
}

/** After everything before, beside what they held earlier. */
export async function memory(setting: Setting, earlier: Held): Promise<Figure> {
  const now = await held(setting);
  const of = ({ events, megabytes }: Held, name: string): Reading =>
    reading(`${name} after ${events.toLocaleString('en')} events`, megabytes.get(name) ?? NaN, 'MB');
  const carriers = CARRIERS.map((name) => of(now, name));
  const others = [...now.megabytes].filter(([name]) => !CARRIERS.includes(name));
  return {
    name: 'resident memory after the load',
    readings: [
      ...CARRIERS.map((name) => of(earlier, name)),
      ...carriers,
      ...others.map(([name, megabytes]) => reading(name, megabytes, 'MB')),
    ],
    controls: [],
    ratios: [],
    goals: carriers.map((one) => below(one, 400)),
    how:
      'Resident set of each process of the real stack when everything above was measured, of ingestion and ledger also ' +
      'after the first figure; of PostgreSQL, the postmaster alone. Ingestion is started anew by each backlog of the ' +
      'figures of throughput, the ledger runs throughout.',
  };
}

/** The embedded default, its PostgreSQL included, with usage flowing. */
export async function standaloneMemory(): Promise<Figure> {
  const stack = await EmbeddedStack.start();
  try {
    const tenant = await LiveTenant.open(stack, 'bench');
    const keys = Array.from({ length: CUSTOMERS }, (_, place) => `customer-${place}`);
    await tenant.createCustomers(
      keys.map((key) => ({ key, apiKey: `key-of-${key}`, plan: 'rich' as const })),
    );
    const peaks: Reading[] = [];
    for (let batch = 0; batch < BATCHES; batch += 1) {
      await sendBatch(tenant, keys, batch);
      peaks.push(...(await treeOf(stack.process.pid)));
    }
    return standaloneFigure(peaks);
  } finally {
    await stack.close();
  }
}

async function sendBatch(tenant: LiveTenant, keys: readonly string[], batch: number): Promise<void> {
  const time = new Date().toISOString();
  const events = Array.from({ length: EVENTS }, (_, place) =>
    cloudEvent({
      source: 'memory',
      id: `${batch}-${place}`,
      subject: keys[place % keys.length] ?? '',
      tokens: 100,
      time,
    }),
  );
  const answer = await tenant.sendUsage(events);
  if (answer.status >= 300)
    throw new Error(`usage was refused: ${answer.status} ${JSON.stringify(answer.body)}`);
}

function standaloneFigure(samples: readonly Reading[]): Figure {
  const peak = (name: string): Reading =>
    reading(name, Math.max(...samples.filter((one) => one.name === name).map((one) => one.value)), 'MB');
  const process = peak('standalone process');
  return {
    name: 'resident memory of standalone',
    readings: [process, peak('with its PostgreSQL')],
    controls: [],
    ratios: [],
    goals: [below(process, 600)],
    how:
      `The highest seen while ${BATCHES * EVENTS} events come in over HTTP. PostgreSQL’s processes share memory, ` +
      `which their sum counts several times.`,
  };
}

async function treeOf(root: number): Promise<Reading[]> {
  const processes = await Processes.now();
  return [
    reading('standalone process', processes.residentMb(root), 'MB'),
    reading('with its PostgreSQL', processes.treeResidentMb(root), 'MB'),
  ];
}
