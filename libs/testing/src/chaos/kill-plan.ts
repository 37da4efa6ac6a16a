import type { SeededRandom } from '../load/seeded-random';
import type { ProcessName } from '../stack/plan';

export const VICTIMS: readonly ProcessName[] = [
  'ingestion',
  'ledger',
  'billing',
  'dunning',
  'notifier',
  'entitlement',
  'sandbox',
  'gate',
];

/** Killed together, after load ran for `afterMs` since the ones before were up again. */
export interface Kill {
  readonly victims: readonly ProcessName[];
  readonly afterMs: number;
}

const SHORTEST_MS = 200;
const LONGEST_MS = 2_500;

/** Every process in turn, so many times; the order of each round and the moments are the seed's. */
export function inTurn(rounds: number, random: SeededRandom): readonly Kill[] {
  return Array.from({ length: rounds }, () => random.shuffled(VICTIMS)).flatMap((round) =>
    round.map((victim) => ({ victims: [victim], afterMs: random.between(SHORTEST_MS, LONGEST_MS) })),
  );
}

/** Without end: one process or two at once. */
export function* atRandom(random: SeededRandom): Generator<Kill> {
  for (;;) {
    const most = random.chance(0.25) ? 2 : 1;
    yield {
      victims: random.shuffled(VICTIMS).slice(0, most),
      afterMs: random.between(SHORTEST_MS, LONGEST_MS),
    };
  }
}
