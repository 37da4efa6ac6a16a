import type { Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { Counter, CounterKey } from '../domain';

export abstract class CounterStore {
  /** Locks and reads the counters that are there, in one order for everyone. */
  abstract lock(tx: Tx, keys: readonly CounterKey[]): Promise<readonly Counter[]>;
  /** What was counted of the feature by events from `from` on, before `to`; null: without end. */
  abstract countedSince(tx: Tx, key: CounterKey, from: Instant, to: Instant | null): Promise<Nano>;
  /** Writes counters; each gets the next revision. `published` says whether its facts leave with this transaction. */
  abstract save(
    tx: Tx,
    counters: readonly Counter[],
    published: (counter: Counter) => boolean,
  ): Promise<void>;
}
