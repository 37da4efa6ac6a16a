import type { Meter } from '@tallygate/contracts';
import { divideHalfEven, instant, MICROS } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';

/** What events come to, whichever way they were divided into parts. */
export interface UsageParts {
  readonly events: bigint;
  readonly total: Nano;
  readonly lowest: Nano;
  readonly highest: Nano;
}

/** Aggregations that can be told from parts. */
export type AdditiveAggregation = Exclude<Meter['aggregation'], 'latest' | 'unique_count'>;

/** Exact but for an average, which is rounded half-even to 10⁻⁹. */
export function valueOfParts(
  aggregation: AdditiveAggregation,
  { events, total, lowest, highest }: UsageParts,
): Nano {
  switch (aggregation) {
    case 'count':
    case 'sum':
      return total;
    case 'min':
      return lowest;
    case 'max':
      return highest;
    case 'avg':
      return divideHalfEven(total, events);
  }
}

const BUCKET = 15 * MICROS.minute;

/** The part of [from, to) in which whole buckets can stand for events; where there is none, empty at `to`. */
export function bucketSpan(
  from: Instant,
  to: Instant,
  bounds: readonly Instant[],
): { readonly from: Instant; readonly to: Instant } {
  const first = instant(Math.ceil(from / BUCKET) * BUCKET);
  const last = instant(Math.floor(to / BUCKET) * BUCKET);
  const divides = bounds.every((bound) => bound <= first || bound >= last || bound % BUCKET === 0);
  return first < last && divides ? { from: first, to: last } : { from: to, to };
}
