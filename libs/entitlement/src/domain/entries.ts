import type {
  BalanceSegment,
  OverrideFacts,
  PlanFeature,
  Price,
  SubscriptionStatus,
  TenantFacts,
} from '@tallygate/contracts';

/** What the feed carries. Each entry stands for itself: it replaces whatever was known under its key. */
export const ENTRY_KINDS = ['tenant', 'catalog', 'customer', 'credential', 'clock'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** Key: `tenant`. */
export type TenantEntry = Pick<TenantFacts, 'id' | 'name' | 'mode' | 'timezone' | 'currency' | 'settings'>;

/** A sold or sellable feature, as far as a decision needs it. */
export interface FeatureEntry {
  readonly key: string;
  readonly name: string | null;
  readonly kind: 'boolean' | 'static' | 'quota' | 'prepaid' | 'quota_then_prepaid';
  readonly price: string | null;
  readonly rateLimit: { readonly limit: number; readonly per: RateLimitUnit } | null;
  readonly concurrency: number | null;
  readonly onOutage: 'open' | 'closed' | 'lease_only';
  readonly noOverspend: boolean;
  readonly requiresApproval: boolean;
  readonly forbidden: boolean;
  /** True when at least one plan of the catalog has it. */
  readonly sold: boolean;
  /** Where the note `quota_warning` begins: a share of the included units, or an amount of units. */
  readonly quotaWarning: { readonly share: string } | { readonly amount: string };
}
export type RateLimitUnit = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month';

/** Key: `catalog`. */
export interface CatalogEntry {
  readonly revision: number;
  readonly features: readonly FeatureEntry[];
  readonly prices: readonly Price[];
  /** By unit, or `*` for every unit: the note `low_balance` begins at this amount. */
  readonly lowBalance: Readonly<Record<string, string>>;
}

/** Key: the SHA-256 of the credential, hex. */
export interface CredentialEntry {
  readonly customerId: string;
  readonly subject: string | null;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

/** Key: `clock`. Only of a test tenant that has a virtual clock. */
export interface ClockEntry {
  readonly now: string;
}

/** The subscription, with what collection says already merged into its status. */
export interface SubscriptionEntry {
  readonly id: string;
  readonly plan: string;
  readonly planVersion: number;
  readonly status: SubscriptionStatus;
  readonly startedAt: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly trialEnd: string | null;
  readonly suspendAt: string | null;
  readonly cancelAt: string | null;
  readonly endedAt: string | null;
  readonly pausedAt: string | null;
  readonly incompleteReason: 'method' | 'action' | 'payment' | null;
  /** What stands between its start and access: nothing, a first payment, or a payment method for its trial. */
  readonly opensWith: 'nothing' | 'payment' | 'method';
  readonly features: Readonly<Record<string, PlanFeature>>;
}

export interface QuotaEntry {
  readonly periodStart: string;
  readonly periodEnd: string | null;
  readonly used: string;
  readonly included: string;
  readonly limit: 'hard' | 'soft';
}

export interface SpendEntry {
  readonly unit: string;
  readonly periodEnd: string | null;
  readonly spent: string;
  readonly cap: string;
}

/** The plan's cap first, where it has one; `also`: further caps of the feature, left out where there are none. */
export interface SpendEntries extends SpendEntry {
  readonly also?: readonly SpendEntry[];
}

/** Key: the customer's id. All that decides about one customer. */
export interface CustomerEntry {
  readonly id: string;
  readonly key: string;
  readonly timezone: string;
  readonly subjects: readonly string[];
  /** Whether the payer has a payment method: decides what a trial's end opens or shuts. */
  readonly hasMethod: boolean;
  readonly underReview: boolean;
  readonly override: OverrideFacts | null;
  readonly approvals: Readonly<Record<string, 'approved' | 'rejected'>>;
  readonly subscription: SubscriptionEntry | null;
  /** By unit: how far a request may take the wallet below zero. */
  readonly overdraft: Readonly<Record<string, string>>;
  readonly wallets: Readonly<Record<string, readonly BalanceSegment[]>>;
  readonly quotas: Readonly<Record<string, QuotaEntry>>;
  readonly spend: Readonly<Record<string, SpendEntries>>;
}

/** Where an entry belongs, and which state of it this is. */
interface EntryHead {
  readonly tenantId: string;
  readonly key: string;
  /** Grows with each change of this key, a removal included; a lower one is never applied. */
  readonly version: number;
}

export type LiveEntry = EntryHead &
  (
    | { readonly kind: 'tenant'; readonly removed: false; readonly payload: TenantEntry }
    | { readonly kind: 'catalog'; readonly removed: false; readonly payload: CatalogEntry }
    | { readonly kind: 'customer'; readonly removed: false; readonly payload: CustomerEntry }
    | { readonly kind: 'credential'; readonly removed: false; readonly payload: CredentialEntry }
    | { readonly kind: 'clock'; readonly removed: false; readonly payload: ClockEntry }
  );
export type RemovedEntry = EntryHead & { readonly kind: string; readonly removed: true };
/** Of a kind that came after this code: its version is kept for the digest, its payload is not read. */
export type OpaqueEntry = EntryHead & {
  readonly kind: 'unknown';
  readonly as: string;
  readonly removed: false;
};
export type FeedEntry = LiveEntry | OpaqueEntry | RemovedEntry;

export function isEntryKind(kind: string): kind is EntryKind {
  return (ENTRY_KINDS as readonly string[]).includes(kind);
}
