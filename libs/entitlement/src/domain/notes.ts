import { PASS_REASONS } from '@tallygate/contracts';
import type { PassReason } from '@tallygate/contracts';
import type { Standing } from './account';
import type { Assessment } from './assess';

/** The first note that applies to a request that passes; an override makes every other inapplicable. */
export function notesFirst(
  assessments: readonly Assessment[],
  standing: Standing,
  stale: boolean,
): PassReason {
  if (standing.overridden) return 'override';
  if (stale) return 'stale_allow';
  if (standing.status === 'action_required' || standing.status === 'warned') return 'payment_warning';
  if (standing.status === 'grace') return 'grace_period';
  let first: PassReason = 'ok';
  for (const { note } of assessments) {
    if (PASS_REASONS.indexOf(note) < PASS_REASONS.indexOf(first)) first = note;
  }
  return first;
}
