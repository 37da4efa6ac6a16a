import type { CollectionFacts, Plan, SubscriptionStatus } from '@tallygate/contracts';
import type { Instant, Interval, Nano } from '@tallygate/kernel';

/** A plan as sold: a version of a catalog plan, whose terms never move under who bought it. */
export interface SoldPlan {
  readonly key: string;
  readonly version: number;
  readonly terms: Plan;
}

/** A price reduction, copied from the catalog when it was redeemed. */
export interface Discount {
  readonly coupon: string;
  readonly percent: string | null;
  readonly amount: string | null;
  /** Invoices it still applies to; null for all. */
  readonly periodsLeft: number | null;
}

/** The state beneath the flags, as far as billing decides it; what collection adds is in `standing`. */
export type Phase =
  | 'pending_approval'
  | 'not_started'
  | 'incomplete'
  | 'trialing'
  | 'trial_ended'
  | 'active'
  | 'free_tier'
  | 'canceled'
  | 'written_off';

/** Where the payer stands with its unpaid invoices, as dunning last said. */
export type Standing = Pick<CollectionFacts, 'state' | 'version'> & { readonly suspendAt: Instant | null };

export const CURRENT: Standing = { state: 'current', suspendAt: null, version: 0 };

/** Which money step keeps an incomplete subscription shut. */
export type IncompleteReason = 'method' | 'action' | 'payment';

/** A plan change that waits: for the end of the period, or for its charge. */
export interface WaitingChange {
  readonly plan: SoldPlan;
  readonly discount: Discount | null;
  readonly until: 'period_end' | 'payment';
  /** What rounding its charge left, carried once it is paid. */
  readonly carry: Nano;
}

/** One customer's subscription. Instants are on the tenant's clock; periods on the calendar of `zone`. */
export interface Subscription {
  readonly id: string;
  readonly customerId: string;
  readonly zone: string;
  /** What its invoices are written in. */
  readonly currency: string;
  readonly plan: SoldPlan;
  readonly phase: Phase;
  readonly standing: Standing;
  /** When it was asked for, or will begin when that lies in the future. */
  readonly startsAt: Instant;
  readonly trialDays: number;
  readonly anchor: Instant;
  /** -1 is the trial, whose period ends at the anchor; paid periods count from 0. */
  readonly periodIndex: number;
  readonly periodStart: Instant;
  readonly periodEnd: Instant;
  /** Start of the last period that was invoiced (or was free); null before the first. */
  readonly invoicedPeriod: Instant | null;
  readonly trialEnd: Instant | null;
  readonly incompleteReason: IncompleteReason | null;
  /** An incomplete subscription expires here. */
  readonly incompleteUntil: Instant | null;
  readonly pausedAt: Instant | null;
  readonly cancelAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly waiting: WaitingChange | null;
  readonly discount: Discount | null;
  /** What rounding to the minor unit left of earlier invoices. */
  readonly carry: Nano;
  readonly version: number;
}

/** Why a command was refused; each has one HTTP answer. */
export type SubscriptionRefusal =
  | 'subscription_exists'
  | 'subscription_required'
  | 'subscription_ended'
  | 'subscription_not_active'
  | 'subscription_paused'
  | 'not_paused'
  | 'not_pending_approval'
  | 'payment_past_due'
  | 'same_plan'
  | 'change_pending';

/** What the gateway acts on: the state beneath the flags. */
export function statusOf(subscription: Subscription): SubscriptionStatus {
  if (subscription.phase !== 'active') return subscription.phase;
  switch (subscription.standing.state) {
    case 'current':
      return 'active';
    // A policy whose final action is "none" leaves the customer suspended.
    case 'ended':
      return 'suspended';
    default:
      return subscription.standing.state;
  }
}

export function hasEnded(subscription: Subscription): boolean {
  return subscription.phase === 'canceled';
}

/** While suspended or paused no new period is invoiced. */
export function invoicesRest(subscription: Subscription): boolean {
  return subscription.pausedAt !== null || statusOf(subscription) === 'suspended';
}

export function intervalOf(subscription: Subscription): Interval {
  return subscription.plan.terms.interval;
}

/** The next instant at which the subscription changes by itself; null when it never will. */
export function dueAt(subscription: Subscription): Instant | null {
  const { phase, startsAt, periodEnd, trialEnd, incompleteUntil, cancelAt } = subscription;
  const byPhase: Record<Phase, Instant | null> = {
    pending_approval: null,
    not_started: startsAt,
    incomplete: incompleteUntil,
    trialing: trialEnd,
    trial_ended: null,
    active: periodEnd,
    free_tier: periodEnd,
    canceled: null,
    written_off: null,
  };
  const due = byPhase[phase];
  if (cancelAt === null || hasEnded(subscription)) return due;
  return due === null || cancelAt < due ? cancelAt : due;
}
