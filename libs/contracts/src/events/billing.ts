import type { Catalog } from '../catalog';
import type { EventEnvelope } from './envelope';

export interface TenantSettings {
  /** How long usage from before an expiry may still draw on it; a duration text, default 1h. */
  readonly lateness: string;
  /** How far back an event's time may lie; a duration text, default 35d. */
  readonly dedupWindow: string;
  readonly discloseBalance: boolean;
  readonly disclosePrice: boolean;
  /** Base addresses of the links in refusals and e-mails; null leaves the links out. */
  readonly portalUrl: string | null;
  readonly docsUrl: string | null;
  /** An operator's choice of 403 for upgrade_required, 429 for quota_exceeded; 402 otherwise. */
  readonly statuses?: Readonly<Partial<Record<'upgrade_required' | 'quota_exceeded', number>>>;
}

export interface TenantFacts {
  readonly id: string;
  readonly name: string;
  readonly mode: 'test' | 'live';
  readonly timezone: string;
  readonly currency: string;
  readonly settings: TenantSettings;
  /** Start of the virtual clock of a test tenant that has one, else null. */
  readonly clock: string | null;
}

/** A credential that an API consumer sends to a gateway. Only its SHA-256 (hex) is known. */
export interface ConsumerKey {
  readonly id: string;
  readonly hash: string;
  readonly subject: string | null;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

/** What a customer lets a feature cost by calendar day and month; decimal texts in the unit of the feature's price. */
export interface Budget {
  readonly feature: string;
  readonly day: string | null;
  readonly month: string | null;
}

export interface CustomerFacts {
  readonly id: string;
  readonly key: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly webhookUrl: string | null;
  readonly timezone: string;
  readonly currency: string;
  readonly subjects: readonly string[];
  readonly apiKeys: readonly ConsumerKey[];
  readonly parentId: string | null;
  readonly payerId: string | null;
  /** How far requested debits may go below zero, by unit; decimal texts. */
  readonly overdraft: Readonly<Record<string, string>>;
  /** At most one of a feature; absent: none. */
  readonly budgets?: readonly Budget[];
  /** Grows with every change; a lower one is never applied. */
  readonly version: number;
}

export const SUBSCRIPTION_STATUSES = [
  'pending_approval',
  'not_started',
  'incomplete',
  'trialing',
  'trial_ended',
  'active',
  'action_required',
  'grace',
  'warned',
  'suspended',
  'free_tier',
  'disputed',
  'canceled',
  'written_off',
] as const;
export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

export interface SubscriptionFacts {
  readonly id: string;
  readonly customerId: string;
  readonly plan: string;
  readonly planVersion: number;
  /** The plan as sold to this subscription (its version's terms do not move under it). */
  readonly terms: Catalog['plans'][number];
  readonly status: SubscriptionStatus;
  readonly startedAt: string;
  /** Period in force: [periodStart, periodEnd). Anchor: the local day and time that periods count from. */
  readonly anchor: string;
  readonly periodIndex: number;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly trialEnd: string | null;
  readonly suspendAt: string | null;
  readonly cancelAt: string | null;
  readonly endedAt: string | null;
  readonly pausedAt: string | null;
  /** Which money step keeps an incomplete subscription shut: nothing to charge, an open 3-D Secure step, or the payment. */
  readonly incompleteReason: 'method' | 'action' | 'payment' | null;
  readonly version: number;
}

export interface InvoiceFacts {
  readonly id: string;
  readonly number: number;
  /** Who bought it. */
  readonly customerId: string;
  /** Who pays it; the customer itself when it has no payer. */
  readonly payerId: string;
  readonly kind: 'subscription' | 'top_up';
  readonly currency: string;
  readonly total: string;
  readonly due: string;
  /** What its age counts from: the first instant of its period. */
  readonly anchor: string;
  readonly status: 'draft' | 'open' | 'paid' | 'void' | 'refunded' | 'uncollectible';
  readonly subscriptionId: string | null;
  /** Dunning policy of the plan at the time of the invoice; null for the default and for top-ups. */
  readonly dunningPolicy: string | null;
  readonly interval: 'day' | 'week' | 'month' | 'year' | null;
  readonly version: number;
}

export interface PaymentMethodFacts {
  readonly id: string;
  readonly customerId: string;
  /** The provider's reference to the stored card. */
  readonly providerRef: string;
  readonly brand: string;
  readonly funding: 'credit' | 'debit';
  /** Last valid month, YYYY-MM, local; null when it does not expire. */
  readonly expires: string | null;
  readonly label: string;
}

export interface OverrideFacts {
  readonly until: string | null;
  readonly author: string;
  readonly reason: string;
}

export type BillingEvent =
  | EventEnvelope<'tenant.changed', { tenant: TenantFacts }>
  | EventEnvelope<'catalog.applied', { revision: number; catalog: Catalog }>
  | EventEnvelope<'customer.changed', { customer: CustomerFacts }>
  | EventEnvelope<
      'customer.flags_changed',
      {
        customerId: string;
        override: OverrideFacts | null;
        underReview: boolean;
        version: number;
        /** Features granted or rejected by an administrator, where the plan asks for approval. */
        approvals: Readonly<Record<string, 'approved' | 'rejected'>>;
      }
    >
  | EventEnvelope<'subscription.changed', { subscription: SubscriptionFacts }>
  /** Opened, or changed afterwards (paid, void, refunded …): the whole invoice each time. */
  | EventEnvelope<
      'invoice.changed',
      {
        invoice: InvoiceFacts;
        cause: 'opened' | 'paid' | 'voided' | 'refunded' | 'forgiven' | 'reopened' | 'written_off';
      }
    >
  /** `method` null: removed. A new method charges everything due within a minute. */
  | EventEnvelope<
      'payment_method.changed',
      { customerId: string; method: PaymentMethodFacts | null; version: number }
    >
  /** The provider confirmed a top-up; the ledger credits it once per topUpId. */
  | EventEnvelope<
      'top_up.paid',
      { topUpId: string; key: string; customerId: string; unit: string; amount: string; paidAt: string }
    >
  /** Money of a paid top-up went back, or came again: how much of its credit is taken back by now. The highest version holds. */
  | EventEnvelope<
      'top_up.reversed',
      { topUpId: string; key: string; customerId: string; unit: string; reversed: string; version: number }
    >
  | EventEnvelope<
      'top_up.failed',
      { topUpId: string; key: string; customerId: string; unit: string; amount: string; declineCode: string }
    >;
export type BillingEventType = BillingEvent['type'];
