import { PASS_REASONS } from '@tallygate/contracts';
import type { PassReason } from '@tallygate/contracts';
import type { Standing } from './account';
import type { Assessment } from './assess';

/** The note of a request that passes, by what its features say and what is about the whole account. */
export function noteFor(own: PassReason, { overridden, status }: Standing, stale: boolean): PassReason {
  // An override makes every other note inapplicable.
  if (overridden) return 'override';
  if (stale) return 'stale_allow';
  if (status === 'action_required' || status === 'warned') return 'payment_warning';
  return status === 'grace' ? 'grace_period' : own;
}

/** The first note of the vocabulary that one of the features has. */
export function firstNote(assessments: readonly Assessment[]): PassReason {
  let first: PassReason = 'ok';
  for (const { note } of assessments) {
    if (PASS_REASONS.indexOf(note) < PASS_REASONS.indexOf(first)) first = note;
  }
  return first;
}
