import type { PlanFeature } from '@tallygate/contracts';
import type { Instant, Nano } from '@tallygate/kernel';
import type { PeriodValue } from './period-value';
import type { QuotaPeriod } from './subscription';

/**
 * What a customer used of a feature in one period. `quota`: against its quota; `tier`: through a tiered price (`scope`:
 * its match); `value`: the value of a meter that does not add up, whose rises are charged; `spend`: credit debited,
 * against spend caps (`scope`: their period and the unit).
 */
export interface CounterKey {
  readonly tenantId: string;
  readonly customerId: string;
  readonly feature: string;
  readonly kind: 'quota' | 'tier' | 'value' | 'spend';
  readonly scope: string;
  readonly periodStart: Instant;
}

export interface Counter extends CounterKey {
  readonly periodEnd: Instant | null;
  limit: PlanFeature['limit'];
  /** Included units; of a spend counter the cap. */
  included: Nano;
  used: Nano;
  /** Behind `used` where the feature's meter does not add up; null before its first reading. */
  value: PeriodValue | null;
  /** Version of its facts; 0 before the first was stored. */
  revision: number;
  /** What was left of it when its facts last left; null: they never did, or it is not known. */
  readonly told: Nano | null;
}

export function emptyCounter(
  key: CounterKey,
  period: QuotaPeriod,
  { limit }: Pick<PlanFeature, 'limit'>,
  included: Nano,
): Counter {
  return { ...key, periodEnd: period.end, limit, included, used: 0n, value: null, revision: 0, told: null };
}

/** Unambiguous: ids have one length, keys of the catalog hold no newline. */
export function counterName(key: CounterKey): string {
  return `${key.tenantId}${key.customerId}${key.kind}\n${key.feature}\n${key.scope}\n${key.periodStart}`;
}

/** A hard or soft quota is used up once the count has reached what is included, a cap once it is spent. */
export function usedUp(counter: Pick<Counter, 'used' | 'included'>): boolean {
  return counter.used >= counter.included;
}

/** Whether gates are told of it. */
export function isTold({ kind }: Pick<CounterKey, 'kind'>): boolean {
  return kind === 'quota' || kind === 'spend';
}

const SECOND_MICROS = 1_000_000;
/** Far more transactions than can touch one counter in a second. */
const REVISIONS_PER_SECOND = 100_000;

/**
 * Grows over all periods of one quota: a period that begins later is above every revision of an earlier one, so that late
 * usage of a closed period never covers the present one's facts.
 */
export function factsVersion({ periodStart, revision }: Pick<Counter, 'periodStart' | 'revision'>): number {
  return Math.floor(periodStart / SECOND_MICROS) * REVISIONS_PER_SECOND + revision;
}

/** Lifts a counter's version above another's of the same feature: a changed plan may cut periods that begin earlier. */
export function succeed(counter: Counter, other: Pick<Counter, 'periodStart' | 'revision'>): void {
  counter.revision += Math.max(0, factsVersion(other) - factsVersion(counter));
}
