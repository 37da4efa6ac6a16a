import { LiveTenant } from '../load/live-tenant';
import { SeededRandom } from '../load/seeded-random';
import type { RealStack } from '../stack/real-stack';
import { BuyerTraffic } from './buyer-traffic';
import { ClientRecord } from './client-record';
import { ConflictTraffic } from './conflict-traffic';
import { GateTraffic } from './gate-traffic';
import { Judge } from './judge';
import { Faults } from './faults';
import type { FaultCounts } from './faults';
import type { Fault } from './kill-plan';
import { anyFault, inTurn } from './kill-plan';
import { UsageTraffic } from './usage-traffic';

export interface ChaosOptions {
  readonly seed: number;
  /** Every process is killed in turn so many times; or any fault at random for so long. */
  readonly mode: { readonly rounds: number } | { readonly minutes: number };
  readonly say: (line: string) => void;
}

export interface ChaosReport extends FaultCounts {
  readonly seed: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly repeats: number;
  readonly purchases: number;
  readonly conflicts: number;
  readonly gateAnswers: Readonly<Record<string, number>>;
  /** From the end of the load until nothing was on its way. */
  readonly restSeconds: number;
  readonly violations: readonly string[];
}

const TICK_MS = 100;
const EVENTS_PER_TICK = 10;
const TICKS_PER_PURCHASE = 10;
const CUSTOMERS = 20;
const PATIENCE_MS = 120_000;

/** Breaks processes of a running stack under load, then holds the databases against what the clients know. */
export async function runChaos(stack: RealStack, options: ChaosOptions): Promise<ChaosReport> {
  const random = new SeededRandom(options.seed);
  const clients = await Clients.prepare(stack, new SeededRandom(options.seed + 1));
  const judge = await Judge.open(stack, clients.tenant);
  try {
    clients.start();
    const faults = new Faults(stack, options.say);
    await faults.inflict(planOf(options.mode, random));
    await clients.stop();
    const ended = performance.now();
    const moving = await judge.rest(PATIENCE_MS);
    const restSeconds = Math.round((performance.now() - ended) / 100) / 10;
    const unrest = moving.map((what) => `after ${PATIENCE_MS / 1000} s ${what}`);
    const wrongs = [...clients.record.wrongs, ...faults.idle];
    const violations = [...wrongs, ...unrest, ...(await judge.violations(clients.record))];
    return { seed: options.seed, ...faults.counts, restSeconds, violations, ...countsOf(clients.record) };
  } finally {
    await judge.close();
  }
}

function* planOf(mode: ChaosOptions['mode'], random: SeededRandom): Generator<Fault> {
  if ('rounds' in mode) return yield* inTurn(mode.rounds, random);
  const end = performance.now() + mode.minutes * 60_000;
  for (const fault of anyFault(random)) {
    if (performance.now() > end) return;
    yield fault;
  }
}

function countsOf(record: ClientRecord) {
  return {
    sent: record.usage.size,
    acknowledged: record.acknowledged.length,
    repeats: record.repeats,
    purchases: record.topUps.size,
    conflicts: record.conflicts.size,
    gateAnswers: Object.fromEntries([...record.gateAnswers].sort()),
  };
}

/** The tenant's clients: senders of usage, buyers, consumers at the gate. */
class Clients {
  readonly record = new ClientRecord();
  private readonly usage: UsageTraffic;
  private readonly buyers: BuyerTraffic;
  private readonly conflicts: ConflictTraffic;
  private readonly gate: GateTraffic | null;
  private timer: NodeJS.Timeout | undefined;
  private ticks = 0;

  private constructor(
    stack: RealStack,
    readonly tenant: LiveTenant,
    customers: readonly string[],
    random: SeededRandom,
  ) {
    const { record } = this;
    this.usage = new UsageTraffic({
      tenant,
      bus: stack.bus,
      customers,
      record,
      random,
      perTick: EVENTS_PER_TICK,
    });
    this.buyers = new BuyerTraffic(tenant, customers, record, random);
    this.conflicts = new ConflictTraffic(tenant, stack.bus, record, random);
    const consumers = {
      'who has credit': { apiKey: 'key-of-customer-0', may: [200, 503] },
      'who has none': { apiKey: 'key-of-pauper', may: [402, 503] },
    };
    const agent = stack.pids().has('gate') ? stack.agentUrl : undefined;
    this.gate = agent === undefined ? null : new GateTraffic(agent, tenant.id, consumers, record);
  }

  static async prepare(stack: RealStack, random: SeededRandom): Promise<Clients> {
    const tenant = await LiveTenant.open(stack, 'chaos');
    const keys = Array.from({ length: CUSTOMERS }, (_, place) => `customer-${place}`);
    await tenant.createCustomers([
      ...keys.map((key) => ({ key, apiKey: `key-of-${key}`, plan: 'rich' as const, paymentMethod: 'ok' })),
      { key: 'pauper', apiKey: 'key-of-pauper', plan: 'poor' as const },
    ]);
    const clients = new Clients(stack, tenant, keys, random);
    await clients.gate?.reaches('who has credit', 200, PATIENCE_MS);
    await clients.gate?.reaches('who has none', 402, PATIENCE_MS);
    return clients;
  }

  start(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** No new work; what is unanswered is asked again until it is answered. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    const end = performance.now() + PATIENCE_MS;
    const over = () => performance.now() > end;
    await Promise.all([this.usage.drain(over), this.buyers.drain(over), this.gate?.drain()]);
    await this.conflicts.drain();
    if (over()) this.record.wrong(`${PATIENCE_MS / 1000} s after the last kill calls were still unanswered`);
  }

  private tick(): void {
    this.ticks += 1;
    this.usage.tick();
    this.gate?.tick();
    if (this.ticks % TICKS_PER_PURCHASE !== 0) return;
    this.buyers.tick();
    this.conflicts.tick();
  }
}
