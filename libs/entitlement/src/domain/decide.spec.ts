import { DENIAL_REASONS, PASS_REASONS } from '@tallygate/contracts';
import { NANO } from '@tallygate/kernel';
import type { Decision } from './decision';
import { decide } from './decide';
import { decideIn, quotaWorld } from '../testing/situation';
import { SITUATIONS } from '../testing/situations';
import type { World } from '../testing/world';
import {
  CUSTOMER,
  TENANT,
  at,
  circumstances,
  feature,
  planFeature,
  quota,
  request,
  wallet,
  worldOf,
} from '../testing/world';

describe('one reason for each situation', () => {
  it.each(SITUATIONS)('%s', (_what, situation, expectedStatus, reason) => {
    const decision = decideIn(situation);
    expect({ status: decision.status, reason: decision.reason, allow: decision.allow }).toEqual({
      status: expectedStatus,
      reason,
      allow: expectedStatus === 200,
    });
  });

  it('has a row for every reason of the vocabulary', () => {
    const covered = new Set(SITUATIONS.map(([, , , reason]) => reason));
    expect([...DENIAL_REASONS, ...PASS_REASONS].filter((reason) => !covered.has(reason))).toEqual([]);
  });
});

it('a credential ahead of its customer’s entry is not its caller’s fault', () => {
  const state = worldOf();
  state.apply({ tenantId: TENANT, kind: 'customer', key: CUSTOMER, version: 2, removed: true });
  expect(decide(state, request(), circumstances()).reason).toBe('entitlement_unknown');
});

describe('quota, then credit', () => {
  const world = (used: string, credit: string): World => ({
    features: [feature({ kind: 'quota_then_prepaid' })],
    subscription: { features: { completions: planFeature({ included: '10' }) } },
    customer: { quotas: { completions: quota(used, '10') }, wallets: { USD: wallet(credit) } },
  });

  it.each([
    ['included units alone need no credit', '5', '0', 5n, 'ok', null],
    ['only what is above them is paid', '8', '0.004', 4n, 'quota_warning', 4_000_000n],
    ['the rest is not covered', '8', '0.003', 4n, 'credit_insufficient', 4_000_000n],
    ['both spent answers by credit', '10', '0', 1n, 'credit_exhausted', 2_000_000n],
  ] as const)('%s', (_what, used, credit, units, reason, amount) => {
    const decision = decide(worldOf(world(used, credit)), request({ units: units * NANO }), circumstances());
    expect(decision.reason).toBe(reason);
    expect(decision.price?.amount ?? null).toBe(amount);
  });
});

describe('the clock', () => {
  const segments = [
    { from: '2026-03-01T00:00:00Z', available: '5', held: '0', byFeature: {}, expired: false },
    { from: '2026-03-10T12:00:00Z', available: '0', held: '0', byFeature: {}, expired: true },
    { from: '2026-03-11T00:00:00Z', available: '2', held: '0', byFeature: {}, expired: false },
  ];

  it.each([
    ['2026-03-10T11:59:59.999999Z', 'ok'],
    ['2026-03-10T12:00:00Z', 'credit_expired'],
    ['2026-03-11T00:00:00Z', 'ok'],
  ])('credit at %s: %s', (now, reason) => {
    const state = worldOf({ customer: { wallets: { USD: segments } } });
    expect(decide(state, request(), circumstances({ now: at(now) })).reason).toBe(reason);
  });
});

describe('several features in one decision', () => {
  const two = (changes: World['customer'], second = feature({ key: 'images' })): World => ({
    features: [feature(), second],
    subscription: { features: { completions: planFeature(), images: planFeature() } },
    customer: changes,
  });
  const both = (world: World, features = ['completions', 'images']): Decision =>
    decide(worldOf(world), request({ features }), circumstances());

  it('names each refused feature, first by reason, then as asked', () => {
    const world = {
      ...two({ wallets: {} }),
      features: [feature(), feature({ key: 'images', forbidden: true })],
    };
    expect(both(world).violated).toEqual([
      { feature: 'images', reason: 'feature_forbidden' },
      { feature: 'completions', reason: 'credit_exhausted' },
    ]);
    expect(both(world)).toMatchObject({ status: 403, reason: 'feature_forbidden', feature: 'images' });
  });

  it('adds up what they need of one wallet', () => {
    expect(both(two({ wallets: { USD: wallet('0.004') } })).reason).toBe('ok');
    const short = both(two({ wallets: { USD: wallet('0.003') } }));
    expect(short.violated).toEqual([{ feature: 'images', reason: 'credit_insufficient' }]);
  });

  it('says credit_held only when releasing holds would let the whole request pass', () => {
    const held = { wallets: { USD: wallet('0', { held: '5' }) } };
    expect(both(two(held)).reason).toBe('credit_held');
    const spent = {
      ...two(
        { ...held, quotas: { images: quota('10', '10') } },
        feature({ key: 'images', kind: 'quota', price: null }),
      ),
    };
    expect(both(spent).violated).toEqual([
      { feature: 'images', reason: 'quota_exceeded' },
      { feature: 'completions', reason: 'credit_exhausted' },
    ]);
  });

  it('refuses all of them for what is about the account', () => {
    const world = { ...two({}), subscription: { status: 'suspended' as const } };
    expect(both(world).violated.map(({ feature: key }) => key)).toEqual(['completions', 'images']);
  });
});

describe('an operator’s own statuses', () => {
  const settings = (statuses: Record<string, number>): World['tenant'] => ({
    settings: {
      lateness: '1h',
      dedupWindow: '35d',
      discloseBalance: false,
      disclosePrice: true,
      portalUrl: null,
      docsUrl: null,
      statuses,
    },
  });

  it('answers a quota with 429 and its reset', () => {
    const world = { ...quotaWorld('10', '10'), tenant: settings({ quota_exceeded: 429 }) };
    const decision = decideIn({ world });
    expect(decision).toMatchObject({
      status: 429,
      reason: 'quota_exceeded',
      action: 'wait',
      retryable: true,
    });
    expect(decision.resetAt).toBe(at('2026-04-01T00:00:00Z'));
  });

  it('answers an upgrade with 403', () => {
    const world = { tenant: settings({ upgrade_required: 403 }), subscription: { features: {} } };
    expect(decideIn({ world })).toMatchObject({ status: 403, reason: 'upgrade_required' });
  });
});
