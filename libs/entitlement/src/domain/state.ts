import type { PlanFeature, Price, SubscriptionStatus, TenantSettings } from '@tallygate/contracts';
import type { Instant, Nano } from '@tallygate/kernel';
import type { FeatureEntry, SubscriptionEntry } from './entries';

/** The entries as a decision reads them: amounts as bigint, instants as microseconds, lists as maps. */
export interface TenantTerms {
  readonly version: number;
  readonly id: string;
  readonly name: string;
  readonly mode: 'test' | 'live';
  readonly timezone: string;
  readonly settings: TenantSettings;
}

/** Where the note `quota_warning` begins, in thousandths of the included units or in units. */
export type QuotaWarning =
  { readonly kind: 'share'; readonly share: Nano } | { readonly kind: 'amount'; readonly amount: Nano };

export interface FeatureState extends Omit<FeatureEntry, 'quotaWarning'> {
  readonly quotaWarning: QuotaWarning;
}

export interface PriceTier {
  /** Inclusive; null for the last. */
  readonly upTo: Nano | null;
  readonly amount: Nano;
  readonly flat: Nano;
}

export interface PriceRow {
  readonly unit: string;
  readonly model: Price['model'];
  readonly amount: Nano;
  readonly packageSize: Nano;
  readonly tiers: readonly PriceTier[];
  readonly match: Readonly<Record<string, string>>;
  readonly from: Instant;
}

/** The rows of one price and one match, the latest first. */
export type PriceHistory = readonly PriceRow[];

export interface CatalogState {
  readonly version: number;
  readonly revision: number;
  readonly features: ReadonlyMap<string, FeatureState>;
  /** By price key: one history for each match. */
  readonly prices: ReadonlyMap<string, readonly PriceHistory[]>;
  readonly lowBalance: Lookup<Nano>;
}

/** A customer's place, which its credentials point at: one look-up fewer on the way of every request. */
export interface CustomerCell {
  current: CustomerState | null;
}

export interface CredentialState {
  readonly version: number;
  readonly customerId: string;
  readonly customer: CustomerCell;
  readonly subject: string | null;
  readonly expiresAt: Instant | null;
  readonly revokedAt: Instant | null;
  /** The entry was removed or replaced. */
  erased: boolean;
}

/** By key, as a map is asked; most customers have one entry of a kind or none, which needs no map. */
export interface Lookup<V> extends Iterable<readonly [string, V]> {
  get(key: string): V | undefined;
}

export interface PlanFeatureState {
  readonly included: Nano;
  readonly limit: 'hard' | 'soft';
  readonly value: unknown;
  readonly reset: PlanFeature['reset'];
  readonly spendCap: Nano | null;
}

export interface SubscriptionState {
  readonly plan: string;
  readonly status: SubscriptionStatus;
  readonly startedAt: Instant;
  readonly periodEnd: Instant;
  readonly trialEnd: Instant | null;
  readonly suspendAt: Instant | null;
  readonly cancelAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly pausedAt: Instant | null;
  readonly incompleteReason: SubscriptionEntry['incompleteReason'];
  readonly opensWith: SubscriptionEntry['opensWith'];
  readonly features: Lookup<PlanFeatureState>;
}

export interface Segment {
  readonly from: Instant;
  readonly available: Nano;
  readonly held: Nano;
  readonly byFeature: Lookup<Nano> | null;
  readonly expired: boolean;
}

export interface QuotaState {
  readonly periodEnd: Instant | null;
  readonly used: Nano;
}

/** A cap of a feature, and the next one of the same feature: most features have none, and few have more than one. */
export interface SpendState {
  readonly unit: string;
  readonly periodEnd: Instant | null;
  readonly spent: Nano;
  readonly cap: Nano;
  readonly next: SpendState | null;
}

export interface CustomerState {
  readonly version: number;
  readonly id: string;
  readonly key: string;
  readonly timezone: string;
  readonly subjects: readonly string[];
  readonly hasMethod: boolean;
  readonly underReview: boolean;
  /** `until` null: without end. */
  readonly override: { readonly until: Instant | null } | null;
  readonly approvals: Lookup<'approved' | 'rejected'>;
  readonly subscription: SubscriptionState | null;
  readonly overdraft: Lookup<Nano>;
  /** By unit, ordered by `from`, never empty. */
  readonly wallets: Lookup<readonly Segment[]>;
  readonly quotas: Lookup<QuotaState>;
  readonly spend: Lookup<SpendState>;
}
