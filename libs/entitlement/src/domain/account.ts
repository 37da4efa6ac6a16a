import type { DenialReason, SubscriptionStatus } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import type { CustomerState, SubscriptionState } from './state';

/** Where a customer stands at an instant, apart from any feature. */
export interface Standing {
  /** The subscription's status with everything that time alone changes. */
  readonly status: SubscriptionStatus;
  /** The first administrators' reason but `feature_forbidden`, which is the last of its row and about a feature. */
  readonly administrative: DenialReason | null;
  readonly money: DenialReason | null;
  readonly overridden: boolean;
}

export function standingOf(customer: CustomerState, now: Instant): Standing {
  const status = statusAt(customer, now);
  return {
    status,
    administrative: administrativeReason(customer, status, now),
    money: moneyReason(customer, status),
    overridden: isOverridden(customer, now),
  };
}

/** Flips that need no message: an end, a start, a trial's end, an announced suspension (gate-feed.md, "Clock"). */
export function statusAt(customer: CustomerState, now: Instant): SubscriptionStatus {
  const { subscription } = customer;
  if (subscription === null) return 'canceled';
  if (subscription.status === 'written_off') return 'written_off';
  if (reached(subscription.endedAt, now) || reached(subscription.cancelAt, now)) return 'canceled';
  const started = afterStart(customer, subscription, now);
  if (started === 'trialing' && reached(subscription.trialEnd, now)) {
    return customer.hasMethod ? 'active' : 'trial_ended';
  }
  return started === 'warned' && reached(subscription.suspendAt, now) ? 'suspended' : started;
}

function afterStart(
  customer: CustomerState,
  subscription: SubscriptionState,
  now: Instant,
): SubscriptionStatus {
  if (subscription.status !== 'not_started' || subscription.startedAt > now) return subscription.status;
  if (subscription.opensWith === 'payment') return 'incomplete';
  if (subscription.opensWith === 'method' && !customer.hasMethod) return 'incomplete';
  return subscription.trialEnd === null ? 'active' : 'trialing';
}

function reached(at: Instant | null, now: Instant): boolean {
  return at !== null && at <= now;
}

function isOverridden(customer: CustomerState, now: Instant): boolean {
  const { override } = customer;
  return override !== null && (override.until === null || now < override.until);
}

function administrativeReason(
  customer: CustomerState,
  status: SubscriptionStatus,
  now: Instant,
): DenialReason | null {
  if (status === 'pending_approval') return 'approval_pending';
  if (customer.underReview) return 'account_under_review';
  if (status === 'written_off') return 'account_closed';
  if (status !== 'canceled' && reached(customer.subscription?.pausedAt ?? null, now)) {
    return 'subscription_paused';
  }
  return status === 'not_started' ? 'subscription_not_started' : null;
}

function moneyReason(customer: CustomerState, status: SubscriptionStatus): DenialReason | null {
  switch (status) {
    case 'canceled':
      return 'subscription_required';
    case 'incomplete':
      return incompleteReason(customer);
    case 'trial_ended':
      return 'trial_ended';
    case 'suspended':
      return 'payment_past_due';
    case 'disputed':
      return 'payment_reversed';
    default:
      return null;
  }
}

function incompleteReason(customer: CustomerState): DenialReason {
  const { incompleteReason: step, opensWith } = customer.subscription ?? {};
  if (step === 'method') return 'payment_method_required';
  if (step === 'action') return 'payment_action_required';
  if (step === 'payment') return 'activation_payment_required';
  // A start that time alone brought about: billing has not said yet which step is missing.
  return opensWith === 'method' || !customer.hasMethod
    ? 'payment_method_required'
    : 'activation_payment_required';
}
