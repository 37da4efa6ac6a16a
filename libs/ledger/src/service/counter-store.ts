import type { Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { Counter, CounterKey, Gauge } from '../domain';

/** A value that a unique count saw. */
export interface CountedValue {
  readonly counter: Counter;
  readonly value: string;
}

export abstract class CounterStore {
  /** Locks the counters, in one order for everyone, and reads those that are there; nobody else can begin the others. */
  abstract lock(tx: Tx, keys: readonly CounterKey[]): Promise<readonly Counter[]>;
  /** What was counted of the feature by events from `from` on, before `to`; null: without end. */
  abstract countedSince(tx: Tx, key: CounterKey, from: Instant, to: Instant | null): Promise<Nano>;
  /** What a spend counter's feature debited in its period and unit: by usage of that time, and as requested in it. */
  abstract debitedIn(tx: Tx, counter: Counter): Promise<Nano>;
  /** What a stored spend counter lacks of that: debited by whoever did not know the cap yet. */
  abstract missedBy(tx: Tx, counter: Counter): Promise<Nano>;
  /** Of those whose facts are compared with the counter's the one of the highest version. */
  abstract latest(tx: Tx, counter: Counter): Promise<Counter | null>;
  /** The value anew, from the events of the counter's period up to an instant; of a unique count also what was seen. */
  abstract recount(
    tx: Tx,
    counter: Counter,
    of: { readonly gauge: Gauge; readonly until: Instant | null },
  ): Promise<void>;
  /** Those of the values that their counters have counted. */
  abstract counted(tx: Tx, asked: readonly CountedValue[]): Promise<readonly CountedValue[]>;
  /** Writes counters; each gets the next revision. `published` says whether its facts leave with this transaction. */
  abstract save(
    tx: Tx,
    counters: readonly Counter[],
    published: (counter: Counter) => boolean,
  ): Promise<void>;
}
