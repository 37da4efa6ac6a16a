import { createHash } from 'node:crypto';
import type {
  CatalogEntry,
  CredentialEntry,
  CustomerEntry,
  FeatureEntry,
  TenantEntry,
} from '@tallygate/decision';
import type { MemoryEntry } from '../memory-feed';

/** A provider with one customer, everything in order unless a test says otherwise. */
export const TENANT = '0198c0de-0000-7000-8000-000000000001';
export const CUSTOMER = '0198c0de-0000-7000-8000-0000000000aa';

export const hashOf = (credential: string): string => createHash('sha256').update(credential).digest('hex');

export function tenant(changes: Partial<TenantEntry> = {}): MemoryEntry {
  const payload: TenantEntry = {
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
  return { tenantId: TENANT, kind: 'tenant', key: 'tenant', payload };
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

export function catalog(...features: readonly FeatureEntry[]): MemoryEntry {
  const payload: CatalogEntry = {
    revision: 1,
    features: features.length === 0 ? [feature()] : features,
    prices: [{ key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.002', match: {} }],
    lowBalance: {},
  };
  return { tenantId: TENANT, kind: 'catalog', key: 'catalog', payload };
}

export function customer(available: string, changes: Partial<CustomerEntry> = {}): MemoryEntry {
  const segment = { from: '2026-01-01T00:00:00Z', available, held: '0', byFeature: {}, expired: false };
  const terms = { limit: 'hard', reset: 'period' } as const;
  const payload: CustomerEntry = {
    id: CUSTOMER,
    key: 'acme',
    timezone: 'UTC',
    subjects: ['acme-1'],
    hasMethod: true,
    underReview: false,
    override: null,
    approvals: {},
    subscription: {
      id: '0198c0de-0000-7000-8000-0000000000bb',
      plan: 'payg',
      planVersion: 1,
      status: 'active',
      startedAt: '2026-01-01T00:00:00Z',
      periodStart: '2026-01-01T00:00:00Z',
      periodEnd: '2126-01-01T00:00:00Z',
      trialEnd: null,
      suspendAt: null,
      cancelAt: null,
      endedAt: null,
      pausedAt: null,
      incompleteReason: null,
      opensWith: 'nothing',
      features: { completions: terms, gpu: terms, burst: terms },
    },
    overdraft: {},
    wallets: { USD: [segment] },
    quotas: {},
    spend: {},
    ...changes,
  };
  return { tenantId: TENANT, kind: 'customer', key: CUSTOMER, payload };
}

export function credential(text: string, changes: Partial<CredentialEntry> = {}): MemoryEntry {
  const payload = { customerId: CUSTOMER, subject: 'acme-1', expiresAt: null, revokedAt: null, ...changes };
  return { tenantId: TENANT, kind: 'credential', key: hashOf(text), payload };
}

export function clock(now: string): MemoryEntry {
  return { tenantId: TENANT, kind: 'clock', key: 'clock', payload: { now } };
}

export const EVERYTHING = [tenant(), catalog(), customer('10'), credential('secret')] as const;
