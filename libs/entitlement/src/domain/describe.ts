import type { BillingGateReason } from '@tallygate/contracts';
import { formatAmount, formatInstant } from '@tallygate/kernel';
import type { Decision } from './decision';

/** A few words for the reason, the same for every request. */
const TITLES: Readonly<Record<BillingGateReason, string>> = {
  credential_missing: 'Credential missing',
  credential_unknown: 'Credential unknown',
  credential_expired: 'Credential expired',
  credential_revoked: 'Credential revoked',
  approval_pending: 'Approval pending',
  account_under_review: 'Account under review',
  account_closed: 'Account closed',
  subscription_paused: 'Subscription paused',
  subscription_not_started: 'Subscription not started',
  feature_forbidden: 'Feature not allowed',
  subscription_required: 'Subscription required',
  activation_payment_required: 'First payment required',
  trial_ended: 'Trial ended',
  payment_past_due: 'Payment past due',
  payment_method_required: 'Payment method required',
  payment_action_required: 'Payment needs confirmation',
  payment_reversed: 'Payment reversed',
  upgrade_required: 'Upgrade required',
  quota_exceeded: 'Quota exceeded',
  spend_cap_reached: 'Spend cap reached',
  price_above_limit: 'Price above the limit',
  credit_insufficient: 'Not enough credit',
  credit_expired: 'Credit expired',
  credit_exhausted: 'Credit exhausted',
  rate_limited: 'Rate limit reached',
  concurrency_limited: 'Too many requests at once',
  credit_held: 'Credit held',
  entitlement_unknown: 'Entitlement not known',
  entitlement_stale: 'Entitlement too old',
  entitlement_unavailable: 'Entitlement not available',
  override: 'Passed by an override',
  stale_allow: 'Passed on older knowledge',
  payment_warning: 'Payment warning',
  grace_period: 'Grace period',
  overdraft: 'Overdraft in use',
  quota_warning: 'Quota nearly used',
  low_balance: 'Balance low',
  ok: 'Passed',
};

type Sentence = (decision: Decision) => string;

/** What happened and what lifts it, in one sentence that gives away neither price nor balance. */
const DETAILS: Readonly<Record<BillingGateReason, Sentence>> = {
  credential_missing: () => 'The request carries no credential; send your API key.',
  credential_unknown: () => 'The credential is not known here; check it or create a new one.',
  credential_expired: () => 'The credential has expired; create a new one.',
  credential_revoked: () => 'The credential was revoked; create a new one.',
  approval_pending: () => 'Access waits for an administrator to approve it.',
  account_under_review: () => 'The account is under review by the provider.',
  account_closed: () => 'The account was closed after unpaid invoices were written off.',
  subscription_paused: () => 'The subscription is paused; resume it to go on.',
  subscription_not_started: (d) => `The subscription has not started yet${startOf(d)}.`,
  feature_forbidden: (d) => `${featureOf(d)} is not allowed for this account.`,
  subscription_required: () => 'There is no subscription in force; subscribe to a plan.',
  activation_payment_required: () => 'The subscription begins with its first payment, which is not made yet.',
  trial_ended: () => 'The trial has ended; add a payment method to go on.',
  payment_past_due: () => 'An invoice is unpaid past its final date; pay it to restore access at once.',
  payment_method_required: () => 'The subscription needs a payment method before it begins.',
  payment_action_required: () => 'A payment waits for its confirmation with the bank.',
  payment_reversed: () => 'A payment was reversed by the bank; settle it to restore access.',
  upgrade_required: (d) => `${featureOf(d)} is not part of the present plan.`,
  quota_exceeded: (d) => `The included units of ${featureOf(d)} are used up${resetOf(d)}.`,
  spend_cap_reached: (d) => `The request would exceed the spend cap of ${featureOf(d)}${resetOf(d)}.`,
  price_above_limit: () => 'The request would cost more than the maximum price sent with it.',
  credit_insufficient: (d) => `The credit left does not cover this request of ${featureOf(d)}.`,
  credit_expired: () => 'The last credit expired; top up to go on.',
  credit_exhausted: () => 'The prepaid credit is used up; top up to go on.',
  rate_limited: (d) => `The rate limit of ${featureOf(d)} is reached${resetOf(d)}.`,
  concurrency_limited: (d) => `As many requests of ${featureOf(d)} as allowed are in flight.`,
  credit_held: () => 'The credit is held for requests in flight; try again when they are done.',
  entitlement_unknown: () => 'Whether this key may pass could not be found out just now.',
  entitlement_stale: () => 'What is known about this account is too old to decide on.',
  entitlement_unavailable: () => 'No decision can be made just now.',
  override: () => 'An operator lets this account pass.',
  stale_allow: () => 'The request passes on what was known last.',
  payment_warning: (d) => `An invoice is unpaid${suspensionOf(d)}.`,
  grace_period: () => 'A payment failed and is tried again; access goes on meanwhile.',
  overdraft: () => 'The request passes on the overdraft.',
  quota_warning: (d) => `Most of the included units of ${featureOf(d)} are used${resetOf(d)}.`,
  low_balance: () => 'The request passes; the balance is low.',
  ok: () => 'The request passes.',
};

export function titleOf(reason: BillingGateReason): string {
  return TITLES[reason];
}

export function detailOf(decision: Decision): string {
  return DETAILS[decision.reason](decision);
}

function featureOf({ feature, tenant }: Decision): string {
  if (feature === null) return 'The feature';
  return tenant?.catalog?.features.get(feature)?.name ?? feature;
}

function resetOf({ resetAt }: Decision): string {
  return resetAt === null ? '' : ` until ${formatInstant(resetAt)}`;
}

function startOf({ customer }: Decision): string {
  const startedAt = customer?.subscription?.startedAt;
  return startedAt === undefined ? '' : `; it starts at ${formatInstant(startedAt)}`;
}

function suspensionOf({ suspendAt }: Decision): string {
  return suspendAt === null ? '' : ` and access ends at ${formatInstant(suspendAt)}`;
}

/** Decimal text of units. */
export function unitsText(decision: Decision): string {
  return formatAmount(decision.required);
}
