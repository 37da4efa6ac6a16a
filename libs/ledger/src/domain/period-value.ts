import type { Meter } from '@tallygate/contracts';
import { divideHalfEven, maxNano, minNano, NANO } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';

/** Aggregations whose value over a period is not the sum of what its events add. */
export type Gauge = Exclude<Meter['aggregation'], 'count' | 'sum'>;

export function gaugeOf(aggregation: Meter['aggregation'] | undefined): Gauge | null {
  return aggregation === undefined || aggregation === 'count' || aggregation === 'sum' ? null : aggregation;
}

/** What a period's value is made of, beside the value itself. */
export interface PeriodValue {
  events: number;
  /** Of all quantities: what an average divides. */
  total: Nano;
  /** Own time of the event that `latest` shows. */
  latestAt: Instant | null;
  /** Of a unique count: those values of the present work that were counted before it. */
  readonly known: Set<string>;
  /** And those that it counted first. */
  readonly fresh: string[];
}

export function noReadings(): PeriodValue {
  return { events: 0, total: 0n, latestAt: null, known: new Set(), fresh: [] };
}

/** One reading of such a meter. */
export interface Sighting {
  readonly quantity: Nano;
  /** What a unique count counts. */
  readonly value: string | null;
  readonly at: Instant;
}

/** A counter of such a meter: null before its first reading. */
export interface Valued {
  used: Nano;
  value: PeriodValue | null;
}

/** The period's value with this reading, as the meter itself would be asked; nothing is changed. */
export function valueWith({ used, value }: Valued, gauge: Gauge, { quantity, ...seen }: Sighting): Nano {
  switch (gauge) {
    case 'max':
      return maxNano(used, quantity);
    case 'min':
      return value === null || value.events === 0 ? quantity : minNano(used, quantity);
    case 'avg':
      return divideHalfEven((value?.total ?? 0n) + quantity, BigInt((value?.events ?? 0) + 1));
    case 'latest':
      return seen.at >= (value?.latestAt ?? seen.at) ? quantity : used;
    case 'unique_count':
      return seen.value === null || value?.known.has(seen.value) === true ? used : used + NANO;
  }
}

/** Takes a reading into the period's value. */
export function takeReading(counter: Valued, gauge: Gauge, sighting: Sighting): void {
  const { quantity, at } = sighting;
  const after = valueWith(counter, gauge, sighting);
  const value = (counter.value ??= noReadings());
  if (gauge === 'unique_count' && sighting.value !== null && after > counter.used) {
    value.known.add(sighting.value);
    value.fresh.push(sighting.value);
  }
  counter.used = after;
  value.events += 1;
  value.total += quantity;
  if (at >= (value.latestAt ?? at)) value.latestAt = at;
}
