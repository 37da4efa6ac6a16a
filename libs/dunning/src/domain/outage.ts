import { addMicros, MICROS } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

/** Waits of 5, 10, 20 … minutes while the provider cannot be reached. */
const FIRST_WAIT = 5 * MICROS.minute;
export const OUTAGE_TRIES = 8;

/** @param failed how many sendings failed in a row, this one included; null: an operator must restart it */
export function nextOutageTry(failed: number, now: Instant): Instant | null {
  return failed > OUTAGE_TRIES ? null : addMicros(now, FIRST_WAIT * 2 ** (failed - 1));
}

/** An outcome nobody told us is asked for after 5 minutes, 1 hour, then daily to day 7. */
const RECONCILE_AGES: readonly number[] = [
  5 * MICROS.minute,
  MICROS.hour,
  ...[1, 2, 3, 4, 5, 6, 7].map((day) => day * MICROS.day),
];

/** The first look after `now`, by the attempt's age; null: the last look found nothing either, and an operator decides. */
export function nextReconcile(sentAt: Instant, now: Instant): Instant | null {
  return RECONCILE_AGES.map((age) => addMicros(sentAt, age)).find((at) => at > now) ?? null;
}

/** How long a customer has to authenticate a payment. */
export const ACTION_TIMEOUT = 24 * MICROS.hour;
