import type { BillingGateReason, DenialReason, ResolvingAction } from '@tallygate/contracts';
import type { Instant, Nano } from '@tallygate/kernel';
import type { CredentialPlace } from './credential-place';
import type { CustomerState } from './state';
import type { TenantState } from './feed-state';

/** Who asks. A gateway that authenticates by itself names the customer or the subject; others pass the credential on. */
export type Identity =
  | { readonly kind: 'none' }
  /** SHA-256 of the credential as sent, hex; its place where whoever asks keeps it. */
  | { readonly kind: 'credential'; readonly hash: string; readonly place?: CredentialPlace }
  | { readonly kind: 'customer'; readonly key: string }
  | { readonly kind: 'subject'; readonly subject: string };

export interface DecisionRequest {
  /** Null where only one tenant is known. */
  readonly tenantId: string | null;
  readonly identity: Identity;
  /** In the order asked for; none asks about the account alone. */
  readonly features: readonly string[];
  /** Of each feature. */
  readonly units: Nano;
  /** The most that the whole request may cost, in the unit of its price; null for no limit. */
  readonly maxPrice: Nano | null;
  /** Groups of the coming usage where the caller knows them (such as the model), to choose among rows by match. */
  readonly groups?: Readonly<Record<string, string>>;
}

/** What the gate's limiter would say; it takes nothing before the decision allowed. */
export type LimitVerdict =
  | { readonly verdict: 'ok' }
  | {
      readonly verdict: 'rate_limited';
      readonly limit: number;
      readonly windowSeconds: number;
      readonly resetAt: Instant;
    }
  | { readonly verdict: 'concurrency_limited'; readonly limit: number };

/** What is true around a request but not in the feed's entries. */
export interface Circumstances {
  readonly now: Instant;
  /** Microseconds since the feed last proved to be up, on the tenant's clock; 0 while it is up. */
  readonly feedAgeMicros: number;
  /** Verdicts by feature; a feature that is not named is within its limits. */
  readonly limits?: ReadonlyMap<string, LimitVerdict>;
  /** Features whose units are covered by a lease; `not_required` where the answer uses nothing up (the service's own). */
  readonly leases?: ReadonlySet<string> | 'not_required';
  /** Whether a key that is not in the state does not exist (the service's), or may exist (a gate's copy). */
  readonly unknown: 'does_not_exist' | 'not_checked';
}

export interface Violation {
  readonly feature: string;
  readonly reason: DenialReason;
}

export interface Money {
  readonly amount: Nano;
  readonly unit: string;
}

/** One answer to one request. What it says in words and headers is rendered from it (see render-problem.ts). */
export interface Decision {
  readonly allow: boolean;
  readonly status: number;
  readonly reason: BillingGateReason;
  /** What lifts a denial; null for a pass. */
  readonly action: ResolvingAction | null;
  /** True where the same request may pass later by itself (429, 503). */
  readonly retryable: boolean;
  /** Seconds; null unless retryable. */
  readonly retryAfter: number | null;
  /** The feature that the reason is about; of a pass, the first asked for. */
  readonly feature: string | null;
  /** Units that the request needs of the feature. */
  readonly required: Nano;
  /** Of this request; null where nothing is debited or the price is not known. */
  readonly price: Money | null;
  /** What the feature may draw on; null where no credit is involved. */
  readonly balance: Money | null;
  /** Included units used and sold; null without a quota. */
  readonly quota: { readonly used: Nano; readonly included: Nano } | null;
  /** When the limit that was met starts anew. */
  readonly resetAt: Instant | null;
  /** When access ends unless the customer pays; with `payment_warning`. */
  readonly suspendAt: Instant | null;
  /** The limit met, for the RateLimit headers. */
  readonly limit: LimitVerdict | null;
  /** The value of a static feature. */
  readonly value: unknown;
  /** Features refused, by reason in the order of the vocabulary, then in the order of the request. */
  readonly violated: readonly Violation[];
  /** True when a feature was asked for that no catalog knows: the operator should hear of it. */
  readonly unknownFeature: boolean;
  readonly tenant: TenantState | null;
  readonly customer: CustomerState | null;
}
