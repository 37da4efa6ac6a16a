import { Injectable } from '@nestjs/common';
import type { Tx } from '@tallygate/platform';
import { isTold, noReadings, rateSlice, SliceCounters, usedUp } from '../domain';
import type { Counter, PlannedReading, RatedSlice } from '../domain';
import { CounterStore } from './counter-store';

export interface Counted {
  readonly rated: RatedSlice;
  /** Counters that a gate decides differently by from now on. */
  readonly flips: ReadonlySet<Counter>;
}

/** The one way to rate usage: lock the counters it moves, remember what unique counts have seen, rate in order. */
@Injectable()
export class Counting {
  constructor(private readonly counters: CounterStore) {}

  /** Counters are locked before wallets, by everyone. Nothing is written yet. */
  async rate(tx: Tx, planned: readonly PlannedReading[]): Promise<Counted> {
    const counters = new SliceCounters();
    const keys = counters.keysOf(planned);
    const stored = keys.length === 0 ? [] : await this.counters.lock(tx, keys);
    const before = new Map(stored.map((counter) => [counter, usedUp(counter)]));
    counters.add(stored);
    for (const { counter, value } of await this.counters.counted(tx, counters.valuesOf(planned)))
      (counter.value ??= noReadings()).known.add(value);
    const rated = rateSlice(planned, counters);
    const flips = rated.counters.filter(
      (counter) => isTold(counter) && (before.get(counter) ?? false) !== usedUp(counter),
    );
    return { rated, flips: new Set(flips) };
  }
}
