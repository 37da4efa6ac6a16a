import type { BillingGateReason } from '@tallygate/contracts';
import { MICROS, NANO, addMicros } from '@tallygate/kernel';
import { decide } from '../domain';
import type { Circumstances, Decision, DecisionRequest } from '../domain';
import type { World } from './world';
import {
  NOW,
  at,
  circumstances,
  feature,
  planFeature,
  price,
  quota,
  request,
  subscription,
  wallet,
  worldOf,
} from './world';

/** What is unusual; everything else is in order. */
export interface Situation {
  /** True: nothing is known at all. */
  readonly empty?: boolean;
  readonly world?: World;
  readonly request?: Partial<DecisionRequest>;
  readonly circumstances?: Partial<Circumstances>;
}

export function decideIn({ empty, world, request: asked, circumstances: around }: Situation): Decision {
  return decide(empty === true ? null : worldOf(world), request(asked), circumstances(around));
}

const status = (changes: Parameters<typeof subscription>[0]): Situation => ({
  world: { subscription: changes },
});
const customer = (changes: World['customer'], rest: World = {}): Situation => ({
  world: { ...rest, customer: changes },
});
export const quotaWorld = (used: string, included: string, limit: 'hard' | 'soft' = 'hard'): World => ({
  features: [feature({ kind: 'quota', price: null })],
  subscription: { features: { completions: planFeature({ included, limit }) } },
  customer: { quotas: { completions: quota(used, included) } },
});
const limited = (verdict: 'rate_limited' | 'concurrency_limited'): Situation => ({
  circumstances: {
    limits: new Map([
      [
        'completions',
        verdict === 'rate_limited'
          ? { verdict, limit: 10, windowSeconds: 60, resetAt: addMicros(NOW, 30 * MICROS.second) }
          : { verdict, limit: 2 },
      ],
    ]),
  },
});

/** Every reason at least once, with the boundaries of its rule. */
export const SITUATIONS: readonly (readonly [
  what: string,
  situation: Situation,
  status: number,
  reason: BillingGateReason,
])[] = [
  ['everything in order', {}, 200, 'ok'],
  ['no credential', { request: { identity: { kind: 'none' } } }, 401, 'credential_missing'],
  [
    'a credential nobody has',
    { request: { identity: { kind: 'credential', hash: 'b' } } },
    401,
    'credential_unknown',
  ],
  [
    'a subject nobody has',
    { request: { identity: { kind: 'subject', subject: 'x' } } },
    401,
    'credential_unknown',
  ],
  ['a subject', { request: { identity: { kind: 'subject', subject: 'acme-1' } } }, 200, 'ok'],
  ['a customer key as subject', { request: { identity: { kind: 'subject', subject: 'acme' } } }, 200, 'ok'],
  [
    'a credential over',
    { world: { credential: { expiresAt: '2026-03-10T12:00:00Z' } } },
    401,
    'credential_expired',
  ],
  [
    'a credential about to be over',
    { world: { credential: { expiresAt: '2026-03-10T12:00:00.000001Z' } } },
    200,
    'ok',
  ],
  [
    'a revoked credential',
    { world: { credential: { revokedAt: '2026-03-10T12:00:00Z' } } },
    401,
    'credential_revoked',
  ],
  ['a plan that waits for approval', status({ status: 'pending_approval' }), 403, 'approval_pending'],
  [
    'a feature that waits for approval',
    { world: { features: [feature({ requiresApproval: true })] } },
    403,
    'approval_pending',
  ],
  [
    'an approved feature',
    customer({ approvals: { completions: 'approved' } }, { features: [feature({ requiresApproval: true })] }),
    200,
    'ok',
  ],
  ['a rejected feature', customer({ approvals: { completions: 'rejected' } }), 403, 'feature_forbidden'],
  ['a review', customer({ underReview: true }), 403, 'account_under_review'],
  ['written off', status({ status: 'written_off' }), 403, 'account_closed'],
  ['paused', status({ pausedAt: '2026-03-09T00:00:00Z' }), 403, 'subscription_paused'],
  [
    'not started',
    status({ status: 'not_started', startedAt: '2026-03-11T00:00:00Z' }),
    403,
    'subscription_not_started',
  ],
  ['started by the clock', status({ status: 'not_started', startedAt: '2026-03-10T12:00:00Z' }), 200, 'ok'],
  [
    'started by the clock, payment first',
    status({ status: 'not_started', startedAt: '2026-03-10T12:00:00Z', opensWith: 'payment' }),
    402,
    'activation_payment_required',
  ],
  ['a feature nobody knows', { request: { features: ['nothing'] } }, 403, 'feature_forbidden'],
  [
    'a feature of no plan',
    { world: { features: [feature({ sold: false })], subscription: { features: {} } } },
    403,
    'feature_forbidden',
  ],
  ['a forbidden feature', { world: { features: [feature({ forbidden: true })] } }, 403, 'feature_forbidden'],
  ['no subscription', { world: { subscription: null } }, 402, 'subscription_required'],
  ['canceled', status({ status: 'canceled' }), 402, 'subscription_required'],
  ['canceled by the clock', status({ cancelAt: '2026-03-10T12:00:00Z' }), 402, 'subscription_required'],
  [
    'first payment open',
    status({ status: 'incomplete', incompleteReason: 'payment' }),
    402,
    'activation_payment_required',
  ],
  ['no method', status({ status: 'incomplete', incompleteReason: 'method' }), 402, 'payment_method_required'],
  [
    '3-D Secure open',
    status({ status: 'incomplete', incompleteReason: 'action' }),
    402,
    'payment_action_required',
  ],
  ['trialing', status({ status: 'trialing', trialEnd: '2026-03-10T12:00:00.000001Z' }), 200, 'ok'],
  [
    'a trial over, with a method',
    status({ status: 'trialing', trialEnd: '2026-03-10T12:00:00Z' }),
    200,
    'ok',
  ],
  [
    'a trial over, without a method',
    customer(
      { hasMethod: false },
      { subscription: { status: 'trialing', trialEnd: '2026-03-10T12:00:00Z' } },
    ),
    402,
    'trial_ended',
  ],
  ['trial ended', status({ status: 'trial_ended' }), 402, 'trial_ended'],
  ['grace', status({ status: 'grace' }), 200, 'grace_period'],
  ['warned', status({ status: 'warned', suspendAt: '2026-03-10T12:00:00.000001Z' }), 200, 'payment_warning'],
  ['action required', status({ status: 'action_required' }), 200, 'payment_warning'],
  [
    'warned until now',
    status({ status: 'warned', suspendAt: '2026-03-10T12:00:00Z' }),
    402,
    'payment_past_due',
  ],
  ['suspended', status({ status: 'suspended' }), 402, 'payment_past_due'],
  ['disputed', status({ status: 'disputed' }), 402, 'payment_reversed'],
  ['a feature of another plan', status({ features: {} }), 402, 'upgrade_required'],
  [
    'a boolean that is off',
    {
      world: {
        features: [feature({ kind: 'boolean', price: null })],
        subscription: { features: { completions: planFeature({ value: false }) } },
      },
    },
    402,
    'upgrade_required',
  ],
  [
    'a boolean named with nothing',
    { world: { features: [feature({ kind: 'boolean', price: null })] } },
    200,
    'ok',
  ],
  ['below the warning', { world: quotaWorld('7', '10') }, 200, 'ok'],
  ['at the warning', { world: quotaWorld('8', '10') }, 200, 'quota_warning'],
  ['a quota spent', { world: quotaWorld('10', '10') }, 402, 'quota_exceeded'],
  [
    'units above what is left',
    { world: quotaWorld('7', '10'), request: { units: 4n * NANO } },
    402,
    'quota_exceeded',
  ],
  ['above a soft quota', { world: quotaWorld('12', '10', 'soft') }, 200, 'quota_warning'],
  [
    'a quota of a period that is over',
    { world: quotaWorld('10', '10'), circumstances: { now: at('2026-04-01T00:00:00Z') } },
    200,
    'ok',
  ],
  [
    'a free quota spent',
    {
      world: {
        ...quotaWorld('10', '10'),
        subscription: { status: 'free_tier', features: { completions: planFeature({ included: '10' }) } },
      },
    },
    402,
    'upgrade_required',
  ],
  [
    'a spend cap',
    customer({
      spend: { completions: { unit: 'USD', spent: '9.999', cap: '10', periodEnd: '2026-04-01T00:00:00Z' } },
    }),
    402,
    'spend_cap_reached',
  ],
  ['a maximum price', { request: { units: 10n * NANO, maxPrice: 19_999_999n } }, 402, 'price_above_limit'],
  ['a maximum price of exactly that', { request: { units: 10n * NANO, maxPrice: 20_000_000n } }, 200, 'ok'],
  ['too little credit', customer({ wallets: { USD: wallet('0.001') } }), 402, 'credit_insufficient'],
  ['exactly enough credit', customer({ wallets: { USD: wallet('0.002') } }), 200, 'ok'],
  ['no credit', customer({ wallets: { USD: wallet('0') } }), 402, 'credit_exhausted'],
  ['no wallet', customer({ wallets: {} }), 402, 'credit_exhausted'],
  ['debt', customer({ wallets: { USD: wallet('-3') } }), 402, 'credit_exhausted'],
  ['expired credit', customer({ wallets: { USD: wallet('0', { expired: true }) } }), 402, 'credit_expired'],
  [
    'a part of it expired',
    customer({ wallets: { USD: wallet('0.001', { expired: true }) } }),
    402,
    'credit_insufficient',
  ],
  [
    'credit for other features only',
    customer({ wallets: { USD: wallet('5', { byFeature: { completions: '0' } }) } }),
    402,
    'credit_exhausted',
  ],
  [
    'credit for this feature only',
    customer({ wallets: { USD: wallet('0', { byFeature: { completions: '5' } }) } }),
    200,
    'ok',
  ],
  [
    'an overdraft',
    customer({ wallets: { USD: wallet('0') }, overdraft: { USD: '0.002' } }),
    200,
    'overdraft',
  ],
  [
    'an overdraft used up',
    customer({ wallets: { USD: wallet('-0.001') }, overdraft: { USD: '0.002' } }),
    402,
    'credit_exhausted',
  ],
  [
    'an overdraft used up by another feature',
    customer({
      wallets: { USD: wallet('-5', { byFeature: { completions: '0' } }) },
      overdraft: { USD: '5' },
    }),
    402,
    'credit_exhausted',
  ],
  ['held credit', customer({ wallets: { USD: wallet('0', { held: '1' }) } }), 429, 'credit_held'],
  [
    'held credit that would not do',
    customer({ wallets: { USD: wallet('0', { held: '0.001' }) } }),
    402,
    'credit_exhausted',
  ],
  [
    'a price without a row in force',
    { world: { prices: [price({ from: '2027-01-01T00:00:00Z' })] } },
    200,
    'ok',
  ],
  [
    'a price without a row in force and no credit',
    customer({ wallets: {} }, { prices: [price({ from: '2027-01-01T00:00:00Z' })] }),
    402,
    'credit_exhausted',
  ],
  ['a low balance', { world: { lowBalance: { USD: '10' } } }, 200, 'low_balance'],
  ['a balance above the low mark', { world: { lowBalance: { USD: '9.99' } } }, 200, 'ok'],
  ['the rate limit', limited('rate_limited'), 429, 'rate_limited'],
  ['the concurrency limit', limited('concurrency_limited'), 429, 'concurrency_limited'],
  [
    'an override over debt',
    customer({ override: { until: null, author: 'a', reason: 'r' }, wallets: {} }),
    200,
    'override',
  ],
  [
    'an override over suspension',
    customer(
      { override: { until: '2026-03-11T00:00:00Z', author: 'a', reason: 'r' } },
      { subscription: { status: 'suspended' } },
    ),
    200,
    'override',
  ],
  [
    'an override over a missing subscription',
    customer({ override: { until: null, author: 'a', reason: 'r' } }, { subscription: null }),
    200,
    'override',
  ],
  [
    'an override that is over',
    customer(
      { override: { until: '2026-03-10T12:00:00Z', author: 'a', reason: 'r' } },
      { subscription: { status: 'suspended' } },
    ),
    402,
    'payment_past_due',
  ],
  [
    'an override against an administrator',
    customer({ override: { until: null, author: 'a', reason: 'r' }, underReview: true }),
    403,
    'account_under_review',
  ],
  [
    'an override against a rate limit',
    { ...customer({ override: { until: null, author: 'a', reason: 'r' } }), ...limited('rate_limited') },
    429,
    'rate_limited',
  ],
  [
    'a key that could not be checked',
    { request: { identity: { kind: 'credential', hash: 'b' } }, circumstances: { unknown: 'not_checked' } },
    503,
    'entitlement_unknown',
  ],
  ['a feed of 4.999999 s', { circumstances: { feedAgeMicros: 5 * MICROS.second - 1 } }, 200, 'ok'],
  ['a feed of 5 s', { circumstances: { feedAgeMicros: 5 * MICROS.second } }, 200, 'stale_allow'],
  ['a feed of 60 s', { circumstances: { feedAgeMicros: 60 * MICROS.second } }, 200, 'stale_allow'],
  [
    'a feed above 60 s, closed',
    { circumstances: { feedAgeMicros: 60 * MICROS.second + 1 } },
    503,
    'entitlement_stale',
  ],
  [
    'a feed above 60 s, open',
    {
      world: { features: [feature({ onOutage: 'open' })] },
      circumstances: { feedAgeMicros: 61 * MICROS.second },
    },
    200,
    'stale_allow',
  ],
  [
    'a feed above 60 s, a denial, open',
    {
      world: { features: [feature({ onOutage: 'open' })], subscription: { status: 'suspended' } },
      circumstances: { feedAgeMicros: 61 * MICROS.second },
    },
    200,
    'stale_allow',
  ],
  [
    'a feed above 60 s, a denial, closed',
    {
      world: { subscription: { status: 'suspended' } },
      circumstances: { feedAgeMicros: 61 * MICROS.second },
    },
    503,
    'entitlement_stale',
  ],
  [
    'a feed above 60 s, lease-only without a lease',
    {
      world: { features: [feature({ onOutage: 'lease_only' })] },
      circumstances: { feedAgeMicros: 61 * MICROS.second },
    },
    503,
    'entitlement_stale',
  ],
  [
    'a feed above 60 s, lease-only on a lease',
    {
      world: { features: [feature({ onOutage: 'lease_only' })] },
      circumstances: { feedAgeMicros: 61 * MICROS.second, leases: new Set(['completions']) },
    },
    200,
    'stale_allow',
  ],
  [
    'an expired credential on an old feed',
    {
      world: { features: [feature({ onOutage: 'open' })], credential: { expiresAt: '2026-03-10T12:00:00Z' } },
      circumstances: { feedAgeMicros: 61 * MICROS.second },
    },
    401,
    'credential_expired',
  ],
  [
    'no overspend without a lease',
    { world: { features: [feature({ noOverspend: true })] } },
    503,
    'entitlement_stale',
  ],
  [
    'no overspend on a lease',
    {
      world: { features: [feature({ noOverspend: true })] },
      circumstances: { leases: new Set(['completions']) },
    },
    200,
    'ok',
  ],
  [
    'no overspend and no credit',
    customer({ wallets: {} }, { features: [feature({ noOverspend: true })] }),
    402,
    'credit_exhausted',
  ],
  ['no state at all', { empty: true }, 503, 'entitlement_unavailable'],
];
