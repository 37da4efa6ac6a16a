import { createHash } from 'node:crypto';
import { NANO, instant } from '@tallygate/kernel';
import { FeedState, decide } from '@tallygate/decision';
import type { Circumstances, DecisionRequest } from '@tallygate/decision';

/** One way to ask, measured beside the empty call. Times in nanoseconds by the wall. */
export interface DecisionFigure {
  readonly name: string;
  /** By the processor's time, so that neighbours on a shared machine do not count. */
  readonly perCoreSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface DecisionFigures {
  readonly customers: number;
  /** Control: the loop and the clock around an empty function. */
  readonly empty: DecisionFigure;
  readonly decisions: readonly DecisionFigure[];
}

const TENANT = '0198c0de-0000-7000-8000-000000000001';
const WARM_UP = 200_000;
const SAMPLES = 400_000;
const THROUGHPUT_CALLS = 2_000_000;
const NOW = instant(1_773_144_000_000_000);

/** In-process decisions over a state of many customers, each call for another one, so that caches do not flatter. */
export function benchDecision(customers = 100_000): DecisionFigures {
  const state = stateOf(customers);
  const around: Circumstances = { now: NOW, feedAgeMicros: 0, unknown: 'does_not_exist' };
  const asked = (features: readonly string[]) => requestsFor(customers, features);
  const cases: readonly (readonly [string, readonly DecisionRequest[]])[] = [
    ['prepaid', asked(['completions'])],
    ['quota', asked(['calls'])],
    ['three features', asked(['completions', 'calls', 'admin'])],
    ['denied: no such feature', asked(['nothing'])],
  ];
  const ring = asked(['completions']);
  return {
    customers,
    empty: measure('empty call', ring, () => undefined),
    decisions: cases.map(([name, requests]) =>
      measure(name, requests, (each) => decide(state, each, around)),
    ),
  };
}

function measure(
  name: string,
  requests: readonly DecisionRequest[],
  call: (request: DecisionRequest) => unknown,
): DecisionFigure {
  const at = (index: number): DecisionRequest => requests[index % requests.length] as DecisionRequest;
  for (let i = 0; i < WARM_UP; i += 1) call(at(i));
  const samples = new Float64Array(SAMPLES);
  for (let i = 0; i < SAMPLES; i += 1) {
    const request = at(i * 7919);
    const started = process.hrtime.bigint();
    call(request);
    samples[i] = Number(process.hrtime.bigint() - started);
  }
  samples.sort();
  const share = (part: number): number => samples[Math.floor(SAMPLES * part)] ?? 0;
  return { name, perCoreSecond: throughput(at, call), p50: share(0.5), p99: share(0.99), p999: share(0.999) };
}

/** Without a clock around each call, which costs more than the empty call itself. */
function throughput(
  at: (index: number) => DecisionRequest,
  call: (request: DecisionRequest) => unknown,
): number {
  const before = process.cpuUsage();
  for (let i = 0; i < THROUGHPUT_CALLS; i += 1) call(at(i * 7919));
  const { user, system } = process.cpuUsage(before);
  return Math.round((THROUGHPUT_CALLS * 1e6) / (user + system));
}

function requestsFor(customers: number, features: readonly string[]): readonly DecisionRequest[] {
  return Array.from({ length: Math.min(customers, 50_000) }, (_, index) => ({
    tenantId: TENANT,
    identity: { kind: 'credential', hash: hashOf(index) },
    features,
    units: NANO,
    maxPrice: null,
  }));
}

function hashOf(index: number): string {
  return createHash('sha256').update(String(index)).digest('hex');
}

function stateOf(customers: number): FeedState {
  const state = new FeedState();
  const head = { tenantId: TENANT, version: 1, removed: false as const };
  state.apply({ ...head, kind: 'catalog', key: 'catalog', payload: CATALOG });
  for (let index = 0; index < customers; index += 1) {
    const id = `customer-${index}`;
    state.apply({ ...head, kind: 'customer', key: id, payload: customerOf(id) });
    const payload = { customerId: id, subject: null, expiresAt: null, revokedAt: null };
    state.apply({ ...head, kind: 'credential', key: hashOf(index), payload });
  }
  return state;
}

const FEATURE = {
  name: null,
  rateLimit: null,
  concurrency: null,
  onOutage: 'closed' as const,
  noOverspend: false,
  requiresApproval: false,
  forbidden: false,
  sold: true,
  quotaWarning: { share: '0.8' },
};

const CATALOG = {
  revision: 1,
  features: [
    { ...FEATURE, key: 'completions', kind: 'prepaid' as const, price: 'token_price' },
    { ...FEATURE, key: 'calls', kind: 'quota' as const, price: null },
    { ...FEATURE, key: 'admin', kind: 'boolean' as const, price: null },
  ],
  prices: [{ key: 'token_price', unit: 'USD', model: 'per_unit' as const, amount: '0.002', match: {} }],
  lowBalance: { USD: '1' },
};

function customerOf(id: string) {
  const plan = { limit: 'hard' as const, reset: 'period' as const };
  const segment = { held: '0', byFeature: {}, expired: false };
  return {
    id,
    key: id,
    timezone: 'UTC',
    subjects: [],
    hasMethod: true,
    underReview: false,
    override: null,
    approvals: {},
    overdraft: {},
    subscription: {
      id: `subscription of ${id}`,
      plan: 'payg',
      planVersion: 1,
      status: 'active' as const,
      startedAt: '2026-03-01T00:00:00Z',
      periodStart: '2026-03-01T00:00:00Z',
      periodEnd: '2026-04-01T00:00:00Z',
      trialEnd: null,
      suspendAt: null,
      cancelAt: null,
      endedAt: null,
      pausedAt: null,
      incompleteReason: null,
      opensWith: 'nothing' as const,
      features: { completions: plan, calls: { ...plan, included: '10000' }, admin: plan },
    },
    wallets: {
      USD: [
        { ...segment, from: '2026-03-01T00:00:00Z', available: '10' },
        { ...segment, from: '2026-06-01T00:00:00Z', available: '5' },
      ],
    },
    quotas: {
      calls: {
        periodStart: '2026-03-01T00:00:00Z',
        periodEnd: '2026-04-01T00:00:00Z',
        used: '17',
        included: '10000',
        limit: 'hard' as const,
      },
    },
    spend: {},
  };
}
