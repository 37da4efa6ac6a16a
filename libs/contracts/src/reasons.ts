/** The fixed, additive vocabulary of answers, in the order in which the first applicable one wins. */
export const DENIAL_REASONS = [
  'credential_missing',
  'credential_unknown',
  'credential_expired',
  'credential_revoked',
  'approval_pending',
  'account_under_review',
  'account_closed',
  'subscription_paused',
  'subscription_not_started',
  'feature_forbidden',
  'subscription_required',
  'activation_payment_required',
  'trial_ended',
  'payment_past_due',
  'payment_method_required',
  'payment_action_required',
  'payment_reversed',
  'upgrade_required',
  'quota_exceeded',
  'spend_cap_reached',
  'price_above_limit',
  'credit_insufficient',
  'credit_expired',
  'credit_exhausted',
  'rate_limited',
  'concurrency_limited',
  'credit_held',
  'entitlement_unknown',
  'entitlement_stale',
  'entitlement_unavailable',
] as const;
export type DenialReason = (typeof DENIAL_REASONS)[number];

/** Notes on a request that passes, the first applicable one. */
export const PASS_REASONS = [
  'override',
  'stale_allow',
  'payment_warning',
  'grace_period',
  'overdraft',
  'quota_warning',
  'low_balance',
  'ok',
] as const;
export type PassReason = (typeof PASS_REASONS)[number];

export type BillingGateReason = DenialReason | PassReason;

export const ACTIONS = [
  'renew_credentials',
  'contact_provider',
  'resume',
  'wait',
  'subscribe',
  'activate',
  'add_payment_method',
  'pay_invoice',
  'authenticate_payment',
  'upgrade',
  'raise_limit',
  'top_up',
  'retry',
] as const;
export type ResolvingAction = (typeof ACTIONS)[number];
