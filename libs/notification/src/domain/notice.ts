import type { NoticeKind } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';

/** Something a customer is told once. (customer, kind, subject, stage) is its identity: a repeat is not a notice. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly customerId: string;
  /** What it is about: a feature, a unit, a grant, an invoice number, a plan, the anchor of a debt. */
  readonly subject: string;
  /** Tells apart the times it may be said about one subject: a threshold in a period, a run of failures. */
  readonly stage: string;
  /** The threshold as the rule states it, for people: "80", "0.20", "7d"; null where there is none. */
  readonly threshold: string | null;
  /** Facts for the text. */
  readonly details: Readonly<Record<string, string>>;
}

/** A notice at an instant to come, unless what it is about changes before. */
export interface Reminder extends Notice {
  readonly dueAt: Instant;
}

/** Kinds that a customer may do without; the others carry what must be known to keep access. */
const OPTIONAL: readonly NoticeKind[] = [
  'usage_threshold',
  'balance_low',
  'credit_run_out_forecast',
  'renewal_upcoming',
  'payment_succeeded',
  'top_up_succeeded',
];

export const isOptional = (kind: NoticeKind): boolean => OPTIONAL.includes(kind);
