import type { Price } from '@tallygate/contracts';
import { parseInstant, invariant, NANO } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { FeedState } from '../domain';
import type {
  CatalogEntry,
  Circumstances,
  CredentialEntry,
  CustomerEntry,
  DecisionRequest,
  FeatureEntry,
  SubscriptionEntry,
  TenantEntry,
} from '../domain';

/** Worlds to decide in: one tenant, one customer, everything in order unless a test says otherwise. */
export const TENANT = '0198c0de-0000-7000-8000-000000000001';
export const CUSTOMER = '0198c0de-0000-7000-8000-0000000000aa';
export const HASH = 'a'.repeat(64);
export const NOW = at('2026-03-10T12:00:00Z');

export function at(text: string): Instant {
  const parsed = parseInstant(text);
  invariant(parsed.ok, text);
  return parsed.value;
}

export interface World {
  readonly tenant?: Partial<TenantEntry>;
  readonly features?: readonly FeatureEntry[];
  readonly prices?: readonly Price[];
  readonly lowBalance?: Readonly<Record<string, string>>;
  readonly customer?: Partial<CustomerEntry>;
  /** Null: no subscription at all. */
  readonly subscription?: Partial<SubscriptionEntry> | null;
  readonly credential?: Partial<CredentialEntry>;
}

export function worldOf(world: World = {}): FeedState {
  const state = new FeedState();
  const head = { tenantId: TENANT, version: 1, removed: false as const };
  state.apply({ ...head, kind: 'tenant', key: 'tenant', payload: tenantEntry(world.tenant) });
  state.apply({ ...head, kind: 'catalog', key: 'catalog', payload: catalogEntry(world) });
  state.apply({ ...head, kind: 'customer', key: CUSTOMER, payload: customerEntry(world) });
  state.apply({ ...head, kind: 'credential', key: HASH, payload: credentialEntry(world.credential) });
  return state;
}

export function tenantEntry(changes: Partial<TenantEntry> = {}): TenantEntry {
  return {
    id: TENANT,
    name: 'Acme APIs',
    mode: 'live',
    timezone: 'UTC',
    currency: 'USD',
    settings: {
      lateness: '1h',
      dedupWindow: '35d',
      discloseBalance: false,
      disclosePrice: true,
      portalUrl: 'https://portal.example',
      docsUrl: 'https://docs.example',
    },
    ...changes,
  };
}

export function feature(changes: Partial<FeatureEntry> = {}): FeatureEntry {
  return {
    key: 'completions',
    name: null,
    kind: 'prepaid',
    price: 'token_price',
    rateLimit: null,
    concurrency: null,
    onOutage: 'closed',
    noOverspend: false,
    requiresApproval: false,
    forbidden: false,
    sold: true,
    quotaWarning: { share: '0.8' },
    ...changes,
  };
}

export function price(changes: Partial<Price> = {}): Price {
  return { key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.002', match: {}, ...changes };
}

export function subscription(changes: Partial<SubscriptionEntry> = {}): SubscriptionEntry {
  return {
    id: '0198c0de-0000-7000-8000-0000000000bb',
    plan: 'payg',
    planVersion: 1,
    status: 'active',
    startedAt: '2026-03-01T00:00:00Z',
    periodStart: '2026-03-01T00:00:00Z',
    periodEnd: '2026-04-01T00:00:00Z',
    trialEnd: null,
    suspendAt: null,
    cancelAt: null,
    endedAt: null,
    pausedAt: null,
    incompleteReason: null,
    opensWith: 'nothing',
    features: { completions: planFeature() },
    ...changes,
  };
}

export function planFeature(
  changes: Partial<SubscriptionEntry['features'][string]> = {},
): SubscriptionEntry['features'][string] {
  return { limit: 'hard', reset: 'period', ...changes };
}

/** One segment from long ago on. */
export function wallet(
  available: string,
  rest: Partial<CustomerEntry['wallets'][string][number]> = {},
): CustomerEntry['wallets'][string] {
  return [{ from: '2026-01-01T00:00:00Z', available, held: '0', byFeature: {}, expired: false, ...rest }];
}

export function quota(used: string, included: string): CustomerEntry['quotas'][string] {
  return {
    periodStart: '2026-03-01T00:00:00Z',
    periodEnd: '2026-04-01T00:00:00Z',
    used,
    included,
    limit: 'hard',
  };
}

export function request(changes: Partial<DecisionRequest> = {}): DecisionRequest {
  return {
    tenantId: TENANT,
    identity: { kind: 'credential', hash: HASH },
    features: ['completions'],
    units: NANO,
    maxPrice: null,
    ...changes,
  };
}

export function circumstances(changes: Partial<Circumstances> = {}): Circumstances {
  return { now: NOW, feedAgeMicros: 0, unknown: 'does_not_exist', ...changes };
}

export function catalogEntry(world: World): CatalogEntry {
  return {
    revision: 1,
    features: world.features ?? [feature()],
    prices: world.prices ?? [price()],
    lowBalance: world.lowBalance ?? {},
  };
}

export function customerEntry(world: World): CustomerEntry {
  return {
    id: CUSTOMER,
    key: 'acme',
    timezone: 'UTC',
    subjects: ['acme-1'],
    hasMethod: true,
    underReview: false,
    override: null,
    approvals: {},
    subscription: world.subscription === null ? null : subscription(world.subscription),
    overdraft: {},
    wallets: { USD: wallet('10') },
    quotas: {},
    spend: {},
    ...world.customer,
  };
}

function credentialEntry(changes: Partial<CredentialEntry> = {}): CredentialEntry {
  return { customerId: CUSTOMER, subject: 'acme-1', expiresAt: null, revokedAt: null, ...changes };
}
