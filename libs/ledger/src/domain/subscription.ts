import type { Plan, PlanFeature } from '@tallygate/contracts';
import { periodContaining, startOf } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { CapsInForce } from './spend-cap';

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
  readonly caps: CapsInForce;
  /** The customer's zone: where calendar periods are cut. */
  readonly zone: string;
  /** Resets by call, of all features of the customer, oldest first. */
  readonly resets: readonly QuotaReset[];
}

/** A quota begun anew by a call instead of by its clock. */
export interface QuotaReset {
  readonly feature: string;
  readonly at: Instant;
  /** False: later periods count from here. */
  readonly keepAnchor: boolean;
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
  if (terms.periodStart <= at && at < terms.periodEnd)
    return { start: terms.periodStart, end: terms.periodEnd };
  return periodContaining(terms.anchor, terms.interval, at, terms.zone);
}

/**
 * The period in which a quota counts an event of this time: by its clock from the last reset that took the anchor,
 * begun by the last reset before the event, ended by the next one.
 */
export function quotaPeriod(
  terms: SubscriptionTerms,
  feature: string,
  reset: PlanFeature['reset'],
  at: Instant,
): QuotaPeriod {
  const own = terms.resets.filter((one) => one.feature === feature);
  if (own.length === 0) return clockPeriod(terms, reset, at, null);
  const before = own.filter((one) => one.at <= at);
  const anchor = before.filter((one) => !one.keepAnchor).at(-1)?.at ?? null;
  const period = clockPeriod(terms, reset, at, anchor);
  const begun = before.at(-1)?.at;
  const ended = own.find((one) => one.at > at)?.at;
  return {
    start: begun !== undefined && begun > period.start ? begun : period.start,
    end: ended !== undefined && (period.end === null || ended < period.end) ? ended : period.end,
  };
}

/** @param anchor where periods count from after a reset; null: from the subscription, or the calendar's own bounds */
function clockPeriod(
  terms: SubscriptionTerms,
  reset: PlanFeature['reset'],
  at: Instant,
  anchor: Instant | null,
): QuotaPeriod {
  if (reset === 'never') return { start: anchor ?? terms.startedAt, end: null };
  if (anchor !== null)
    return periodContaining(anchor, reset === 'period' ? terms.interval : reset, at, terms.zone);
  if (reset === 'period') return subscriptionPeriod(terms, at);
  const start = startOf(reset, at, terms.zone);
  return { start, end: periodContaining(start, reset, at, terms.zone).end };
}
