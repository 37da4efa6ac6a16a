import type { BillingGateReason } from '@tallygate/contracts';
import type { CredentialEntry, CustomerEntry, FeatureEntry } from '@tallygate/decision';
import { sample } from '@tallygate/gate-sdk';
import type { MemoryEntry } from '@tallygate/gate-sdk';

/** What makes a gate give one reason: a tenant of its own, and the request. */
export interface Case {
  readonly reason: BillingGateReason;
  readonly status: number;
  readonly tenantId: string;
  readonly entries: readonly MemoryEntry[];
  readonly headers: Readonly<Record<string, string>>;
  /** Headers of a request that must have passed before. */
  readonly before?: Readonly<Record<string, string>>;
}

interface Unusual {
  readonly customer?: Partial<CustomerEntry>;
  readonly subscription?: Partial<NonNullable<CustomerEntry['subscription']>> | null;
  readonly feature?: Partial<FeatureEntry>;
  readonly credential?: Partial<CredentialEntry>;
  readonly available?: string;
  readonly lowBalance?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly before?: Readonly<Record<string, string>>;
}

const PAST = '2026-01-02T00:00:00Z';
const FUTURE = '2126-01-01T00:00:00Z';

const status = (changes: Unusual['subscription']): Unusual => ({ subscription: changes });
const quota = (used: string, limit: 'hard' | 'soft' = 'hard'): Unusual => ({
  feature: { kind: 'quota', price: null },
  subscription: { features: { completions: { included: '10', limit, reset: 'period' } } },
  customer: {
    quotas: { completions: { periodStart: PAST, periodEnd: FUTURE, used, included: '10', limit } },
  },
});
const wallet = (available: string, changes: { held?: string; expired?: boolean } = {}): Unusual => ({
  customer: {
    wallets: { USD: [{ from: PAST, available, held: '0', byFeature: {}, expired: false, ...changes }] },
  },
});
const open: Unusual['before'] = { 'x-tallygate-open': 'one' };

/** Every reason that a gate which hears its feed gives; the others need a gate that does not. */
const UNUSUAL: readonly (readonly [BillingGateReason, number, Unusual])[] = [
  ['credential_missing', 401, { headers: { authorization: '' } }],
  ['credential_unknown', 401, { headers: { authorization: 'Bearer made-up' } }],
  ['credential_expired', 401, { credential: { expiresAt: PAST } }],
  ['credential_revoked', 401, { credential: { revokedAt: PAST } }],
  ['approval_pending', 403, status({ status: 'pending_approval' })],
  ['account_under_review', 403, { customer: { underReview: true } }],
  ['account_closed', 403, status({ status: 'written_off' })],
  ['subscription_paused', 403, status({ pausedAt: PAST })],
  ['subscription_not_started', 403, status({ status: 'not_started', startedAt: FUTURE })],
  ['feature_forbidden', 403, { feature: { forbidden: true } }],
  ['subscription_required', 402, status(null)],
  ['activation_payment_required', 402, status({ status: 'incomplete', incompleteReason: 'payment' })],
  ['trial_ended', 402, status({ status: 'trial_ended' })],
  ['payment_past_due', 402, status({ status: 'suspended' })],
  ['payment_method_required', 402, status({ status: 'incomplete', incompleteReason: 'method' })],
  ['payment_action_required', 402, status({ status: 'incomplete', incompleteReason: 'action' })],
  ['payment_reversed', 402, status({ status: 'disputed' })],
  ['upgrade_required', 402, status({ features: {} })],
  ['quota_exceeded', 402, quota('10')],
  [
    'spend_cap_reached',
    402,
    { customer: { spend: { completions: { unit: 'USD', periodEnd: FUTURE, spent: '10', cap: '10' } } } },
  ],
  ['price_above_limit', 402, { headers: { 'x-tallygate-units': '10', 'x-tallygate-max-price': '0.01' } }],
  ['credit_insufficient', 402, wallet('0.001')],
  ['credit_expired', 402, wallet('0', { expired: true })],
  ['credit_exhausted', 402, wallet('0')],
  ['rate_limited', 429, { feature: { rateLimit: { limit: 1, per: 'month' } }, before: {} }],
  ['concurrency_limited', 429, { feature: { concurrency: 1 }, before: open }],
  ['credit_held', 429, wallet('0', { held: '1' })],
  ['entitlement_unknown', 503, { headers: { authorization: 'Bearer unanswered' } }],
  ['entitlement_stale', 503, { feature: { noOverspend: true } }],
  [
    'override',
    200,
    { customer: { override: { until: null, author: 'a', reason: 'r' } }, subscription: null },
  ],
  ['payment_warning', 200, status({ status: 'warned', suspendAt: FUTURE })],
  ['grace_period', 200, status({ status: 'grace' })],
  ['overdraft', 200, { customer: { ...wallet('0').customer, overdraft: { USD: '1' } } }],
  ['quota_warning', 200, quota('9')],
  ['low_balance', 200, { lowBalance: '100' }],
  ['ok', 200, {}],
];

export const CASES: readonly Case[] = UNUSUAL.map(([reason, expected, unusual], index) => {
  const tenantId = `0198c0de-0000-7000-8000-${String(index).padStart(12, '0')}`;
  const headers = {
    authorization: 'Bearer secret',
    'x-tallygate-tenant': tenantId,
    'x-tallygate-feature': 'completions',
  };
  return {
    reason,
    status: expected,
    tenantId,
    entries: entriesOf(unusual).map((entry) => ({ ...entry, tenantId })),
    headers: withoutEmpty({ ...headers, ...unusual.headers }),
    before: unusual.before === undefined ? undefined : { ...headers, ...unusual.before },
  };
});

function entriesOf(unusual: Unusual): readonly MemoryEntry[] {
  const usual = sample.customer('10').payload as CustomerEntry;
  const subscription =
    unusual.subscription === null || usual.subscription === null
      ? null
      : { ...usual.subscription, ...unusual.subscription };
  const catalog = sample.catalog(sample.feature(unusual.feature));
  const lowBalance = unusual.lowBalance === undefined ? {} : { USD: unusual.lowBalance };
  return [
    sample.tenant(),
    { ...catalog, payload: { ...(catalog.payload as object), lowBalance } },
    sample.customer('10', { ...unusual.customer, subscription }),
    sample.credential('secret', unusual.credential),
  ];
}

function withoutEmpty(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
}
