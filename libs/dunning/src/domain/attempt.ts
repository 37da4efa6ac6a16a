import type { Instant } from '@tallygate/kernel';

/**
 * Where an attempt stands. `created` is stored before anything is sent; `not_sent` and `declined` end it, `succeeded`
 * too; the rest are open and block every other charge of the invoice.
 */
export const ATTEMPT_STATES = [
  'created',
  'not_sent',
  'unknown',
  'pending',
  'action_required',
  'declined',
  'succeeded',
] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];

/** What is known of an attempt's outcome. */
export interface Outcome {
  readonly state: AttemptState;
  readonly chargeRef: string | null;
  readonly declineCode: string | null;
  readonly adviceCode: string | null;
  /** When the money was captured, by the provider. */
  readonly capturedAt: Instant | null;
}

/** One thing learnt from the API's answer, a webhook, a poll or the clock. They all look alike here. */
export type Signal = Outcome;

export const CREATED: Outcome = {
  state: 'created',
  chargeRef: null,
  declineCode: null,
  adviceCode: null,
  capturedAt: null,
};

/**
 * The more an outcome settles, the higher; certainly not sent is more than not known. A later signal never moves an attempt down, so the order in which signals
 * arrive does not matter; a capture beats a decline because only money moved cannot be unsaid.
 */
const RANK: Readonly<Record<AttemptState, number>> = {
  created: 0,
  unknown: 1,
  not_sent: 2,
  pending: 3,
  action_required: 4,
  declined: 5,
  succeeded: 6,
};

/**
 * The one transition of an attempt: the least upper bound of what was known and what was learnt. Commutative,
 * associative and idempotent, so any permutation and duplication of the same signals ends in the same state.
 */
export function learn(known: Outcome, signal: Signal): Outcome {
  const higher = compare(known, signal) >= 0 ? known : signal;
  const lower = higher === known ? signal : known;
  return { ...higher, chargeRef: higher.chargeRef ?? lower.chargeRef };
}

export function isOpen(state: AttemptState): boolean {
  return state === 'created' || state === 'unknown' || state === 'pending' || state === 'action_required';
}

/** Rank first; equal ranks are told apart by their details, so that two declines too always end as the same one. */
function compare(a: Outcome, b: Outcome): number {
  return (
    RANK[a.state] - RANK[b.state] ||
    compareText(a.declineCode, b.declineCode) ||
    compareText(a.adviceCode, b.adviceCode) ||
    (b.capturedAt ?? Infinity) - (a.capturedAt ?? Infinity) ||
    compareText(a.chargeRef, b.chargeRef)
  );
}

function compareText(a: string | null, b: string | null): number {
  const [left, right] = [a ?? '', b ?? ''];
  return left === right ? 0 : left < right ? -1 : 1;
}
