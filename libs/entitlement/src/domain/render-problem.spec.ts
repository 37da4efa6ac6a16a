import { DENIAL_REASONS } from '@tallygate/contracts';
import { MICROS, NANO, addMicros } from '@tallygate/kernel';
import { decide } from './decide';
import type { Circumstances } from './decision';
import { grpcStatus } from './grpc-status';
import { passHeaders, renderProblem } from './render-problem';
import type { AnswerContext } from './render-problem';
import { statusOf } from './reasons';
import type { World } from '../testing/world';
import { NOW, circumstances, feature, quota, request, tenantEntry, wallet, worldOf } from '../testing/world';

const CONTEXT: AnswerContext = {
  decisionId: 'd-1',
  snapshotRevision: 'e:7',
  asOf: NOW,
  now: NOW,
  instance: '/v1/completions',
};

function decisionIn(world: World, around: Partial<Circumstances> = {}) {
  return decide(worldOf(world), request(), circumstances(around));
}

const exhausted = decisionIn({ customer: { wallets: { USD: wallet('0') } } });
const rateLimited = decisionIn(
  {},
  {
    limits: new Map([
      [
        'completions',
        {
          verdict: 'rate_limited',
          limit: 10,
          windowSeconds: 60,
          resetAt: addMicros(NOW, 29.5 * MICROS.second),
        },
      ],
    ]),
  },
);

describe('a 402', () => {
  const { headers, body, status } = renderProblem(exhausted, CONTEXT);

  it('has the body of RFC 9457 with every key of semantics §7 that applies', () => {
    expect(status).toBe(402);
    expect(body).toEqual({
      type: 'https://docs.example/reasons/credit_exhausted',
      title: 'Credit exhausted',
      status: 402,
      detail: 'The prepaid credit is used up; top up to go on.',
      instance: '/v1/completions',
      code: 'CREDIT_EXHAUSTED',
      billing_gate_reason: 'credit_exhausted',
      action: 'top_up',
      action_url: 'https://portal.example/top-up?customer=acme',
      links: {
        portal: 'https://portal.example',
        usage: 'https://portal.example/usage',
        docs: 'https://docs.example/reasons/credit_exhausted',
      },
      feature: 'completions',
      required: '1',
      price: '0.002',
      unit: 'USD',
      violated: [{ feature: 'completions', reason: 'credit_exhausted' }],
      retryable: false,
      decision_id: 'd-1',
      snapshot_revision: 'e:7',
      as_of: '2026-03-10T12:00:00Z',
    });
  });

  it('has its headers and no Retry-After', () => {
    expect(headers).toEqual({
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'Billing-Gate-Reason': 'credit_exhausted',
      'Billing-Gate-Decision': 'd-1',
      'X-Payment-Required-Reason': 'credit_exhausted',
      Link: '<https://portal.example/top-up?customer=acme>; rel="payment", <https://docs.example/reasons/credit_exhausted>; rel="help"',
    });
  });

  it('discloses price and balance as the tenant chose', () => {
    const settings = { ...tenantEntry().settings, disclosePrice: false, discloseBalance: true };
    const decision = decisionIn({ tenant: { settings }, customer: { wallets: { USD: wallet('0.0015') } } });
    const disclosed = renderProblem(decision, CONTEXT).body;
    expect(disclosed).toMatchObject({ balance: '0.0015', unit: 'USD' });
    expect(disclosed).not.toHaveProperty('price');
  });

  it('has no links where no addresses are set', () => {
    const settings = { ...tenantEntry().settings, portalUrl: null, docsUrl: null };
    const bare = renderProblem(decisionIn({ tenant: { settings }, customer: { wallets: {} } }), CONTEXT);
    expect(bare.body).toMatchObject({ type: 'https://tallygate.dev/reasons/credit_exhausted', links: {} });
    expect(bare.body).not.toHaveProperty('action_url');
    expect(bare.headers).not.toHaveProperty('Link');
  });
});

describe('a 429', () => {
  it('says when to come back', () => {
    const { headers, body } = renderProblem(rateLimited, CONTEXT);
    expect(headers).toMatchObject({
      'Retry-After': '30',
      'RateLimit-Policy': '"completions";q=10;w=60',
      RateLimit: '"completions";r=0;t=30',
    });
    expect(headers).not.toHaveProperty('X-Payment-Required-Reason');
    expect(body).toMatchObject({ retryable: true, reset_at: '2026-03-10T12:00:29.500Z', action: 'wait' });
  });

  it('of held credit waits for no quota', () => {
    const world = {
      features: [feature({ kind: 'quota_then_prepaid' as const })],
      customer: { quotas: { completions: quota('0', '0') }, wallets: { USD: wallet('0', { held: '1' }) } },
    };
    const { headers } = renderProblem(decisionIn(world), CONTEXT);
    expect(headers).toMatchObject({ 'Retry-After': '1', RateLimit: '"completions.credit";r=0;t=1' });
  });
});

describe('a pass', () => {
  it('tells the upstream its note, and with a warning when access ends', () => {
    const warned = decisionIn({ subscription: { status: 'warned', suspendAt: '2026-03-12T00:00:00Z' } });
    expect(passHeaders(warned, CONTEXT)).toEqual({
      'Billing-Gate-Reason': 'payment_warning',
      'Billing-Gate-Decision': 'd-1',
      'Billing-Gate-Suspend-At': '2026-03-12T00:00:00Z',
    });
  });
});

describe('gRPC', () => {
  const TABLE = [
    [401, 16, false],
    [402, 8, false],
    [403, 7, false],
    [429, 8, true],
    [503, 14, true],
  ] as const;

  it.each(TABLE)('%i is code %i, with RetryInfo: %s', (status, code, retries) => {
    for (const reason of DENIAL_REASONS.filter((each) => statusOf(each) === status)) {
      const decision = { ...exhausted, reason, status, retryAfter: retries ? 1 : null };
      const answer = grpcStatus(decision);
      expect([answer.code, answer.retryDelaySeconds !== null]).toEqual([code, retries]);
      expect(answer.errorInfo).toMatchObject({ reason: reason.toUpperCase(), domain: 'tallygate' });
    }
  });

  it('a pass is OK', () => {
    expect(grpcStatus(decisionIn({})).code).toBe(0);
  });

  it('carries the links as Help', () => {
    expect(grpcStatus(exhausted).help.links.map(({ url }) => url)).toEqual([
      'https://portal.example/top-up?customer=acme',
      'https://docs.example/reasons/credit_exhausted',
    ]);
  });
});

it('units below one are shown as they are', () => {
  const decision = decide(
    worldOf({ customer: { wallets: {} } }),
    request({ units: NANO / 2n }),
    circumstances(),
  );
  expect(renderProblem(decision, CONTEXT).body).toMatchObject({ required: '0.5' });
});
