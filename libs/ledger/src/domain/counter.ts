import type { PlanFeature } from '@tallygate/contracts';
import type { Instant, Nano } from '@tallygate/kernel';
import type { QuotaPeriod } from './subscription';

/** What a customer used of a feature in one period: against its quota, or through a tiered price (`scope`: its match). */
export interface CounterKey {
  readonly tenantId: string;
  readonly customerId: string;
  readonly feature: string;
  readonly kind: 'quota' | 'tier';
  readonly scope: string;
  readonly periodStart: Instant;
}

export interface Counter extends CounterKey {
  readonly periodEnd: Instant | null;
  limit: PlanFeature['limit'];
  included: Nano;
  used: Nano;
  /** Version of its facts; 0 before the first was stored. */
  revision: number;
}

export function emptyCounter(
  key: CounterKey,
  period: QuotaPeriod,
  plan: PlanFeature,
  included: Nano,
): Counter {
  return { ...key, periodEnd: period.end, limit: plan.limit, included, used: 0n, revision: 0 };
}

/** Unambiguous: ids have one length, keys of the catalog hold no newline. */
export function counterName(key: CounterKey): string {
  return `${key.tenantId}${key.customerId}${key.kind}\n${key.feature}\n${key.scope}\n${key.periodStart}`;
}

/** A hard or soft quota is used up once the count has reached what is included. */
export function usedUp(counter: Pick<Counter, 'used' | 'included'>): boolean {
  return counter.used >= counter.included;
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
