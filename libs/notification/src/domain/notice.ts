import type { CollectionFacts, NoticeKind } from '@tallygate/contracts';
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
  /** Whose change plans it anew: a lot, a subscription, the card, the payer's standing. */
  readonly source: string;
  readonly dueAt: Instant;
  /** The instant it announces; from then on there is nothing left to remind of. */
  readonly endsAt: Instant;
}

/** A thing that reminders of a kind are planned about. */
export type Planned = Pick<Reminder, 'customerId' | 'kind' | 'source'>;

/** One of a thing's reminders. */
export type Stage = Planned & Pick<Reminder, 'stage'>;

/** All reminders of a thing, as they follow from its present facts. */
export interface Plan extends Planned {
  readonly reminders: readonly Reminder[];
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

/** What is not said twice may be said late: the warning is what a suspension waits for. */
export const isLasting = (kind: NoticeKind): boolean => kind === 'suspension_scheduled';

const DENIED: readonly CollectionFacts['state'][] = ['suspended', 'disputed'];

/** Requests were refused for money and pass again. An end is none: what was taken away then does not come back. */
export function isRestored(before: CollectionFacts['state'], state: CollectionFacts['state']): boolean {
  return DENIED.includes(before) && !DENIED.includes(state) && state !== 'ended';
}
