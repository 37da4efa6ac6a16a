import type { Tx } from '@tallygate/platform';
import type { Counter, CounterKey } from '../domain';

export abstract class CounterStore {
  /** Locks and reads the counters that are there, in one order for everyone. */
  abstract lock(tx: Tx, keys: readonly CounterKey[]): Promise<readonly Counter[]>;
  /** Writes counters; each gets the next revision. `published` says whether its facts leave with this transaction. */
  abstract save(tx: Tx, counters: readonly Counter[], published: (counter: Counter) => boolean): Promise<void>;
}
