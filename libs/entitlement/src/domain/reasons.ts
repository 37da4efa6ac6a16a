import { DENIAL_REASONS } from '@tallygate/contracts';
import type { BillingGateReason, DenialReason, ResolvingAction } from '@tallygate/contracts';

interface ReasonRule {
  readonly status: 401 | 402 | 403 | 429 | 503;
  readonly action: ResolvingAction;
}

/** Ask who fixes it: credentials 401, an administrator 403, money 402, time 429, us 503 (semantics §7). */
const RULES: Readonly<Record<DenialReason, ReasonRule>> = {
  credential_missing: { status: 401, action: 'renew_credentials' },
  credential_unknown: { status: 401, action: 'renew_credentials' },
  credential_expired: { status: 401, action: 'renew_credentials' },
  credential_revoked: { status: 401, action: 'renew_credentials' },
  approval_pending: { status: 403, action: 'contact_provider' },
  account_under_review: { status: 403, action: 'contact_provider' },
  account_closed: { status: 403, action: 'contact_provider' },
  subscription_paused: { status: 403, action: 'resume' },
  subscription_not_started: { status: 403, action: 'wait' },
  feature_forbidden: { status: 403, action: 'contact_provider' },
  subscription_required: { status: 402, action: 'subscribe' },
  activation_payment_required: { status: 402, action: 'activate' },
  trial_ended: { status: 402, action: 'add_payment_method' },
  payment_past_due: { status: 402, action: 'pay_invoice' },
  payment_method_required: { status: 402, action: 'add_payment_method' },
  payment_action_required: { status: 402, action: 'authenticate_payment' },
  payment_reversed: { status: 402, action: 'pay_invoice' },
  upgrade_required: { status: 402, action: 'upgrade' },
  quota_exceeded: { status: 402, action: 'upgrade' },
  spend_cap_reached: { status: 402, action: 'raise_limit' },
  price_above_limit: { status: 402, action: 'raise_limit' },
  credit_insufficient: { status: 402, action: 'top_up' },
  credit_expired: { status: 402, action: 'top_up' },
  credit_exhausted: { status: 402, action: 'top_up' },
  rate_limited: { status: 429, action: 'wait' },
  concurrency_limited: { status: 429, action: 'wait' },
  credit_held: { status: 429, action: 'wait' },
  entitlement_unknown: { status: 503, action: 'retry' },
  entitlement_stale: { status: 503, action: 'retry' },
  entitlement_unavailable: { status: 503, action: 'retry' },
};

const RANK: Readonly<Record<string, number>> = Object.fromEntries(
  DENIAL_REASONS.map((reason, index) => [reason, index]),
);

/** Place in the vocabulary: the lower one wins. */
export function rankOf(reason: DenialReason): number {
  return RANK[reason] ?? DENIAL_REASONS.length;
}

export function isDenial(reason: BillingGateReason): reason is DenialReason {
  return reason in RULES;
}

/** Statuses an operator may choose: 403 for upgrade_required, 429 for quota_exceeded. */
export type StatusChoices = Readonly<Partial<Record<string, number>>>;

export function statusOf(reason: DenialReason, choices: StatusChoices = {}): number {
  if (reason === 'upgrade_required' && choices[reason] === 403) return 403;
  if (reason === 'quota_exceeded' && choices[reason] === 429) return 429;
  return RULES[reason].status;
}

/** A quota that an operator answers with 429 resolves by itself at its reset. */
export function actionOf(reason: DenialReason, status: number = RULES[reason].status): ResolvingAction {
  return reason === 'quota_exceeded' && status === 429 ? 'wait' : RULES[reason].action;
}
