import type { DenialReason } from '@tallygate/contracts';
import { MICROS } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

/** Where no reset is known: a slot, a hold or a copy of the feed may be back within seconds. */
const SECONDS_WITHOUT_RESET: Readonly<Partial<Record<DenialReason, number>>> = {
  entitlement_stale: 5,
  entitlement_unavailable: 5,
};

/** Whole seconds, at least 1, rounded up so that a client that waits them is never early. */
export function retryAfterSeconds(reason: DenialReason, resetAt: Instant | null, now: Instant): number {
  // A hold is released by its owner; a quota's reset beside it says nothing about that.
  if (resetAt === null || reason === 'credit_held') return SECONDS_WITHOUT_RESET[reason] ?? 1;
  return Math.max(1, Math.ceil((resetAt - now) / MICROS.second));
}
