import type { Plan, PlanFeature } from '@tallygate/contracts';
import { periodContaining, startOf } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

/** One version of a subscription, in force from `effectiveAt` until the next one's. */
export interface SubscriptionTerms {
  readonly subscriptionId: string;
  readonly version: number;
  readonly effectiveAt: Instant;
  readonly startedAt: Instant;
  readonly endedAt: Instant | null;
  readonly anchor: Instant;
  readonly periodStart: Instant;
  readonly periodEnd: Instant;
  /** False while the subscription waits for an approval or its start: its usage is not rated. */
  readonly inForce: boolean;
  readonly interval: Plan['interval'];
  readonly features: Readonly<Record<string, PlanFeature>>;
  /** The customer's zone: where calendar periods are cut. */
  readonly zone: string;
}

/** [start, end); end null: it never ends. */
export interface QuotaPeriod {
  readonly start: Instant;
  readonly end: Instant | null;
}

/**
 * The terms that an event of this time falls under; null when there was no subscription then (metered, not rated).
 * @param history all versions of the customer's subscriptions, oldest first
 */
export function termsAt(history: readonly SubscriptionTerms[], at: Instant): SubscriptionTerms | null {
  for (let i = history.length - 1; i >= 0; i -= 1) {
    const terms = history[i];
    if (terms === undefined || terms.startedAt > at) continue;
    if (terms.effectiveAt > at && isLaterVersionOf(history, i)) continue;
    const over = terms.endedAt !== null && terms.endedAt <= at;
    return over || !terms.inForce ? null : terms;
  }
  return null;
}

/** A first version takes effect with its start, however late the news of it came. */
function isLaterVersionOf(history: readonly SubscriptionTerms[], index: number): boolean {
  return index > 0 && history[index - 1]?.subscriptionId === history[index]?.subscriptionId;
}

/** The subscription's own period that holds an instant: where tiers and packages run. */
export function subscriptionPeriod(terms: SubscriptionTerms, at: Instant): QuotaPeriod {
  if (terms.periodStart <= at && at < terms.periodEnd) return { start: terms.periodStart, end: terms.periodEnd };
  return periodContaining(terms.anchor, terms.interval, at, terms.zone);
}

/** The period in which a quota counts an event of this time. */
export function quotaPeriod(terms: SubscriptionTerms, reset: PlanFeature['reset'], at: Instant): QuotaPeriod {
  switch (reset) {
    case 'never':
      return { start: terms.startedAt, end: null };
    case 'period':
      return subscriptionPeriod(terms, at);
    case 'day':
    case 'week':
    case 'month': {
      const start = startOf(reset, at, terms.zone);
      return { start, end: periodContaining(start, reset, at, terms.zone).end };
    }
  }
}
