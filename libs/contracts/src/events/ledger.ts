import type { PlanFeature } from '../catalog';
import type { EventEnvelope } from './envelope';

/**
 * What a wallet has from an instant on, if nothing else happens: the wallet's lots, their starts and ends, seen by who
 * only needs to know what is available. Amounts are decimal texts.
 */
export interface BalanceSegment {
  /** In force from here (closed) to the next segment's `from` (open); the first one's may lie in the past. */
  readonly from: string;
  /** Free credit that any feature may use, less debt; below 0 when in debt. */
  readonly available: string;
  /** Held by open holds, not part of `available`. */
  readonly held: string;
  /** For features with restricted lots or debt of their own: what that feature may draw on. Others use `available`. */
  readonly byFeature: Readonly<Record<string, string>>;
  /** True when the last credit ended by expiry with something left, and none came since. */
  readonly expired: boolean;
}

export interface BalanceFacts {
  readonly customerId: string;
  readonly unit: string;
  /** The wallet's own version; a lower one is never applied. */
  readonly version: number;
  readonly debt: string;
  /** Never empty, ordered by `from`. */
  readonly segments: readonly BalanceSegment[];
}

export interface QuotaFacts {
  readonly customerId: string;
  readonly feature: string;
  readonly version: number;
  readonly periodStart: string;
  /** Null: never resets. */
  readonly periodEnd: string | null;
  readonly used: string;
  readonly included: string;
  readonly limit: 'hard' | 'soft';
}

/**
 * Credit that a feature debited in the period of a spend cap, the plan's or the customer's own, by the usage's own time.
 * Versions are compared among facts of one feature and `per`.
 */
export interface SpendFacts {
  readonly customerId: string;
  readonly feature: string;
  readonly version: number;
  /** Absent in facts from when a feature had one cap, the plan's. */
  readonly per?: NonNullable<PlanFeature['spend_cap']>['per'];
  /** Of the feature's price. */
  readonly unit: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly spent: string;
  readonly cap: string;
}

/** A lot that will end with something left: what the notifier warns of. */
export interface LotFacts {
  readonly customerId: string;
  readonly unit: string;
  readonly grantId: string;
  readonly grantKey: string;
  readonly expiresAt: string | null;
  readonly remaining: string;
  readonly status: 'pending' | 'active' | 'used' | 'expired' | 'voided';
  readonly version: number;
}

export interface RejectedUsage {
  readonly source: string;
  readonly id: string;
  readonly customerId: string;
  /** `event_unknown`: a correction of an event that was never booked. */
  readonly code: 'identity_conflict' | 'event_unknown';
  readonly detail: string;
  /** The event as it arrived, for inspection. */
  readonly event: unknown;
}

export type LedgerEvent =
  /**
   * At once when credit runs out or comes back. Other changes at most once a second per wallet, and when they come to less
   * than a fiftieth of what was last said to be left, at most once in ten seconds; quotas and spend caps alike.
   */
  | EventEnvelope<'balance.changed', BalanceFacts>
  | EventEnvelope<'quota.changed', QuotaFacts>
  | EventEnvelope<'spend.changed', SpendFacts>
  | EventEnvelope<'lot.changed', LotFacts>
  | EventEnvelope<'usage.rejected', RejectedUsage>
  | EventEnvelope<'alert.raised', { kind: string; detail: string }>;
export type LedgerEventType = LedgerEvent['type'];
