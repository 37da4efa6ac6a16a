import type { Budget, ConsumerKey, PaymentMethodFacts } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';

/** Who buys. Its key is the provider's own name for it, and the only one that outside calls use. */
export interface Customer {
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
  readonly overdraft: Readonly<Record<string, string>>;
  /** Absent in customers stored before there were any. */
  readonly budgets?: readonly Budget[];
  readonly version: number;
}

/** A stored way to pay: the provider's reference to it, never the card. `method` null: it was removed. */
export interface StoredMethod {
  readonly method: PaymentMethodFacts | null;
  readonly version: number;
}

/** What administrators laid over a customer's billing state. */
export interface Flags {
  readonly override: {
    readonly until: Instant | null;
    readonly author: string;
    readonly reason: string;
  } | null;
  readonly underReview: boolean;
  readonly approvals: Readonly<Record<string, 'approved' | 'rejected'>>;
  readonly version: number;
}

export const NO_FLAGS: Flags = { override: null, underReview: false, approvals: {}, version: 0 };

/** Who pays for a customer: itself, unless it names a payer. */
export function payerOf(customer: Pick<Customer, 'id' | 'payerId'>): string {
  return customer.payerId ?? customer.id;
}

/** References as payment providers give them out, such as `pm_1PxYz`. */
const PROVIDER_REF = /^[a-z]+_[A-Za-z0-9]{6,}/;

/**
 * Which stored card a text means: a provider's own reference, or, in test mode, a behaviour of the sandbox provider. A
 * reference names one card for ever, but a behaviour is a new card (`id`) each time it is stored.
 */
export function providerRefOf(set: string, mode: 'test' | 'live', id: string): string {
  const behaviour = set.includes(':') || !PROVIDER_REF.test(set) || SANDBOX_BEHAVIOURS.has(set);
  return mode === 'test' && behaviour ? `sandbox:${set}#${id}` : set;
}

/** Behaviours that look like a reference. */
const SANDBOX_BEHAVIOURS: ReadonlySet<string> = new Set([
  'requires_action',
  'timeout_unknown',
  'timeout_captured',
  'timeout_declined',
]);
