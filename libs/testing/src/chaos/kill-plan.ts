import type { SeededRandom } from '../load/seeded-random';
import type { ProcessName } from '../stack/plan';

export const VICTIMS: readonly ProcessName[] = [
  'ingestion',
  'ledger',
  'ledger-2',
  'billing',
  'dunning',
  'notifier',
  'entitlement',
  'sandbox',
  'gate',
];

/** Killed together, after load ran for `afterMs` since the ones before were up again. */
export interface Kill {
  readonly fault: 'kill';
  readonly victims: readonly ProcessName[];
  readonly afterMs: number;
}

/** Stopped for so long, while the others go on, and woken. */
export interface Stop {
  readonly fault: 'pause';
  readonly victim: ProcessName;
  readonly forMs: number;
  /** A ledger: between reading a slice and claiming its partition, where a stale write would come from. */
  readonly atPoint: boolean;
  readonly afterMs: number;
}

/** Connections that PostgreSQL ends in the middle of whatever they do: about this share of them. */
export interface Termination {
  readonly fault: 'terminate';
  readonly share: number;
  readonly afterMs: number;
}

export type Fault = Kill | Stop | Termination;

const SHORTEST_MS = 200;
const LONGEST_MS = 2_500;
/** Some are shorter than a consumer's session, some longer: those lose their partitions while they stand still. */
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 16_000;
/** Longer than a session and the rebalance after it. */
const FENCED_PAUSE_MS = 14_000;

/** Every process in turn, so many times; the order of each round and the moments are the seed's. */
export function inTurn(rounds: number, random: SeededRandom): readonly Kill[] {
  return Array.from({ length: rounds }, () => random.shuffled(VICTIMS)).flatMap((round) =>
    round.map((victim) => ({ fault: 'kill', victims: [victim], afterMs: moment(random) })),
  );
}

/** Without end: processes killed or paused, connections of the database ended. */
export function* anyFault(random: SeededRandom): Generator<Fault> {
  for (;;) {
    const draw = random.next();
    if (draw < 0.5) yield kill(random);
    else if (draw < 0.7) yield pause(random);
    else if (draw < 0.85) yield fencedPause(random);
    else yield { fault: 'terminate', share: random.pick([0.3, 1]), afterMs: moment(random) };
  }
}

function kill(random: SeededRandom): Kill {
  const most = random.chance(0.25) ? 2 : 1;
  return { fault: 'kill', victims: random.shuffled(VICTIMS).slice(0, most), afterMs: moment(random) };
}

function pause(random: SeededRandom): Stop {
  const forMs = random.between(SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS);
  return { fault: 'pause', victim: random.pick(VICTIMS), forMs, atPoint: false, afterMs: moment(random) };
}

function fencedPause(random: SeededRandom): Stop {
  const victim = random.pick(['ledger', 'ledger-2'] as const);
  return { fault: 'pause', victim, forMs: FENCED_PAUSE_MS, atPoint: true, afterMs: moment(random) };
}

const moment = (random: SeededRandom): number => random.between(SHORTEST_MS, LONGEST_MS);
