import fc from 'fast-check';
import { DENIAL_REASONS } from '@tallygate/contracts';
import type { DenialReason, SubscriptionStatus } from '@tallygate/contracts';
import { MICROS, NANO, addMicros, formatAmount, formatInstant } from '@tallygate/kernel';
import type { Circumstances } from './decision';
import { decide } from './decide';
import { statusOf } from './reasons';
import type { World } from '../testing/world';
import { NOW, circumstances, feature, planFeature, quota, request, wallet, worldOf } from '../testing/world';

/** What may be wrong with a request at once, each independent of the others. */
interface Faults {
  readonly credential: 'credential_expired' | 'credential_revoked' | null;
  readonly status: SubscriptionStatus;
  readonly underReview: boolean;
  readonly paused: boolean;
  readonly feature: 'awaits approval' | 'forbidden' | 'not in the plan' | null;
  readonly quota: boolean;
  readonly cap: boolean;
  readonly limit: boolean;
  readonly credit: 'insufficient' | 'expired' | 'exhausted' | 'held' | null;
  readonly gate: 'rate_limited' | 'concurrency_limited' | null;
}

const faults: fc.Arbitrary<Faults> = fc.record({
  credential: fc.constantFrom(null, null, 'credential_expired', 'credential_revoked'),
  status: fc.constantFrom<SubscriptionStatus>(
    'active',
    'active',
    'active',
    'pending_approval',
    'not_started',
    'incomplete',
    'trial_ended',
    'suspended',
    'disputed',
    'canceled',
    'written_off',
  ),
  underReview: fc.boolean(),
  paused: fc.boolean(),
  feature: fc.constantFrom(null, null, 'awaits approval', 'forbidden', 'not in the plan'),
  quota: fc.boolean(),
  cap: fc.boolean(),
  limit: fc.boolean(),
  credit: fc.constantFrom(null, 'insufficient', 'expired', 'exhausted', 'held'),
  gate: fc.constantFrom(null, 'rate_limited', 'concurrency_limited'),
});

const BY_STATUS: Readonly<Partial<Record<SubscriptionStatus, DenialReason>>> = {
  pending_approval: 'approval_pending',
  not_started: 'subscription_not_started',
  incomplete: 'activation_payment_required',
  trial_ended: 'trial_ended',
  suspended: 'payment_past_due',
  disputed: 'payment_reversed',
  canceled: 'subscription_required',
  written_off: 'account_closed',
};

/** Every reason that applies to a quota feature, or to a prepaid one, straight from the list of semantics §7. */
function applicable(given: Faults, kind: 'quota' | 'prepaid'): DenialReason[] {
  const reasons: (DenialReason | null | undefined)[] = [
    given.credential,
    BY_STATUS[given.status],
    given.underReview ? 'account_under_review' : null,
    given.paused && given.status !== 'canceled' ? 'subscription_paused' : null,
    given.feature === 'forbidden' ? 'feature_forbidden' : null,
    given.feature === 'awaits approval' && given.status !== 'canceled' ? 'approval_pending' : null,
    given.feature === 'not in the plan' ? 'upgrade_required' : null,
    given.gate,
  ];
  if (given.feature === 'not in the plan') return present(reasons);
  if (kind === 'quota') return present([...reasons, given.quota ? 'quota_exceeded' : null]);
  reasons.push(given.cap ? 'spend_cap_reached' : null, given.limit ? 'price_above_limit' : null);
  reasons.push(given.credit === null ? null : `credit_${given.credit}`);
  return present(reasons);
}

function present(reasons: readonly (DenialReason | null | undefined)[]): DenialReason[] {
  return reasons.filter((reason) => reason !== null && reason !== undefined);
}

function firstOf(reasons: readonly DenialReason[]): DenialReason | 'ok' {
  return DENIAL_REASONS.find((reason) => reasons.includes(reason)) ?? 'ok';
}

const WALLETS = {
  insufficient: wallet('0.001'),
  expired: wallet('0', { expired: true }),
  exhausted: wallet('0'),
  held: wallet('0', { held: '1' }),
} as const;

function worldWith(given: Faults, kind: 'quota' | 'prepaid'): World {
  const key = 'completions';
  return {
    features: [
      feature({
        kind,
        price: kind === 'quota' ? null : 'token_price',
        requiresApproval: given.feature === 'awaits approval',
        forbidden: given.feature === 'forbidden',
      }),
    ],
    subscription: {
      status: given.status,
      startedAt: given.status === 'not_started' ? '2026-03-11T00:00:00Z' : '2026-03-01T00:00:00Z',
      pausedAt: given.paused ? '2026-03-09T00:00:00Z' : null,
      incompleteReason: 'payment',
      features: given.feature === 'not in the plan' ? {} : { [key]: planFeature({ included: '10' }) },
    },
    customer: {
      underReview: given.underReview,
      wallets: { USD: given.credit === null ? wallet('5') : WALLETS[given.credit] },
      quotas: kind === 'quota' ? { [key]: quota(given.quota ? '10' : '0', '10') } : {},
      spend: given.cap ? { [key]: { unit: 'USD', spent: '1', cap: '1', periodEnd: null } } : {},
    },
    credential: {
      expiresAt: given.credential === 'credential_expired' ? '2026-03-01T00:00:00Z' : null,
      revokedAt: given.credential === 'credential_revoked' ? '2026-03-01T00:00:00Z' : null,
    },
  };
}

function limitsOf({ gate }: Faults): Circumstances['limits'] {
  if (gate === null) return undefined;
  const resetAt = addMicros(NOW, MICROS.second);
  const verdict =
    gate === 'rate_limited'
      ? { verdict: gate, limit: 1, windowSeconds: 60, resetAt }
      : { verdict: gate, limit: 1 };
  return new Map([['completions', verdict]]);
}

const decided = (given: Faults, kind: 'quota' | 'prepaid') =>
  decide(
    worldOf(worldWith(given, kind)),
    request({ maxPrice: given.limit ? 1n : null }),
    circumstances({ limits: limitsOf(given) }),
  );

describe('the first reason of the list wins, whatever else applies', () => {
  it.each(['quota', 'prepaid'] as const)('%s', (kind) => {
    fc.assert(
      fc.property(faults, (given) => {
        expect(decided(given, kind).reason).toBe(firstOf(applicable(given, kind)));
      }),
      { numRuns: 3000 },
    );
  });
});

const nano = (max: number) => fc.bigInt({ min: 0n, max: BigInt(max) * NANO });
const signed = fc.bigInt({ min: -5n * NANO, max: 5n * NANO });

const creditWorld = (available: bigint, held = 0n, overdraft = 0n): World => ({
  customer: {
    wallets: { USD: wallet(formatAmount(available), { held: formatAmount(held) }) },
    overdraft: { USD: formatAmount(overdraft) },
  },
});
const reasonOf = (world: World, units: bigint) => decide(worldOf(world), request({ units }), circumstances());

describe('laws of credit', () => {
  it('more credit never turns a pass into a denial', () => {
    fc.assert(
      fc.property(signed, nano(5), nano(2), nano(2000), (available, more, overdraft, units) => {
        const before = reasonOf(creditWorld(available, 0n, overdraft), units);
        const after = reasonOf(creditWorld(available + more, 0n, overdraft), units);
        expect(before.allow && !after.allow).toBe(false);
      }),
    );
  });

  it('fewer units never turn a pass into a denial', () => {
    fc.assert(
      fc.property(signed, nano(2), nano(2000), nano(2000), (available, overdraft, a, b) => {
        const [fewer, more] = a < b ? [a, b] : [b, a];
        const world = creditWorld(available, 0n, overdraft);
        expect(reasonOf(world, more).allow && !reasonOf(world, fewer).allow).toBe(false);
      }),
    );
  });

  it('credit_held exactly when the request passes once every hold is released', () => {
    fc.assert(
      fc.property(signed, nano(3), nano(2), nano(2000), (available, held, overdraft, units) => {
        const now = reasonOf(creditWorld(available, held, overdraft), units);
        const released = reasonOf(creditWorld(available + held, 0n, overdraft), units);
        expect(now.reason === 'credit_held').toBe(!now.allow && released.allow);
      }),
    );
  });

  it('a pass never takes the wallet below its floor', () => {
    fc.assert(
      fc.property(signed, nano(2), nano(2000), (available, overdraft, units) => {
        const decision = reasonOf(creditWorld(available, 0n, overdraft), units);
        const price = decision.price?.amount ?? 0n;
        if (decision.allow && price > 0n) expect(available - price >= -overdraft).toBe(true);
      }),
    );
  });
});

describe('laws of spend caps', () => {
  const ENDS = [-MICROS.hour, 0, MICROS.hour, MICROS.day].map((ahead) =>
    formatInstant(addMicros(NOW, ahead)),
  );
  const cap = fc.record({
    unit: fc.constantFrom('USD', 'USD', 'credits'),
    spent: nano(4),
    cap: nano(4),
    periodEnd: fc.constantFrom(...ENDS),
  });
  type Cap = typeof cap extends fc.Arbitrary<infer T> ? T : never;
  const entryOf = ({ spent, cap: most, ...rest }: Cap) => ({
    ...rest,
    spent: formatAmount(spent),
    cap: formatAmount(most),
  });

  it('any cap that leaves too little refuses, and the latest end of those is the reset', () => {
    fc.assert(
      fc.property(fc.array(cap, { minLength: 1, maxLength: 3 }), nano(1500), (caps, units) => {
        const [first, ...also] = caps.map(entryOf);
        if (first === undefined) return;
        const decision = reasonOf({ customer: { spend: { completions: { ...first, also } } } }, units);
        const price = units / 500n;
        const now = formatInstant(NOW);
        const reached = caps.filter(
          ({ unit, spent, cap: most, periodEnd }) =>
            units > 0n && unit === 'USD' && (periodEnd <= now ? 0n : spent) + price > most,
        );
        const ends = reached.map(({ periodEnd }) => periodEnd).filter((end) => end > now);
        expect(decision.reason === 'spend_cap_reached').toBe(reached.length > 0);
        if (reached.length === 0) return;
        const { resetAt } = decision;
        expect(resetAt === null ? undefined : formatInstant(resetAt)).toBe(ends.sort().at(-1));
      }),
    );
  });
});

describe('laws of time', () => {
  const ages = fc.integer({ min: 0, max: 120 * MICROS.second });

  it('age alone never makes a 402, a 403 or a 429, and beyond a minute no money denial is left', () => {
    fc.assert(
      fc.property(faults, ages, fc.constantFrom('open', 'closed', 'lease_only'), (given, age, onOutage) => {
        const world = worldWith({ ...given, credential: null, gate: null }, 'prepaid');
        const state = worldOf({ ...world, features: world.features?.map((each) => ({ ...each, onOutage })) });
        const fresh = decide(state, request(), circumstances());
        const old = decide(state, request(), circumstances({ feedAgeMicros: age }));
        if (age > 60 * MICROS.second) expect([200, 503]).toContain(old.status);
        else expect(old.status).toBe(fresh.status);
      }),
    );
  });

  it('an override passes every reason of money and none of an administrator', () => {
    fc.assert(
      fc.property(faults, (given) => {
        const world = worldWith({ ...given, credential: null, gate: null }, 'prepaid');
        const override = { until: null, author: 'a', reason: 'r' };
        const state = worldOf({ ...world, customer: { ...world.customer, override } });
        const decision = decide(state, request(), circumstances());
        if (decision.allow) expect(decision.reason).toBe('override');
        else expect(decision.status).toBe(403);
      }),
    );
  });
});

describe('every denial', () => {
  it('carries the status of its reason, and a retry only where time or we resolve it', () => {
    fc.assert(
      fc.property(faults, fc.constantFrom('quota' as const, 'prepaid' as const), (given, kind) => {
        const decision = decided(given, kind);
        if (decision.allow) return;
        expect(decision.status).toBe(statusOf(decision.reason as DenialReason));
        expect(decision.retryAfter !== null).toBe(decision.status === 429 || decision.status === 503);
        expect(decision.violated[0]?.reason).toBe(decision.reason);
      }),
    );
  });
});
