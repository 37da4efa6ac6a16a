import { invalid, problem } from '@tallygate/platform';
import type { Fault, ProblemException } from '@tallygate/platform';
import type { GrantTermsFault } from '../domain';

/** Every refusal of a movement, by its code. */
export const REFUSALS = {
  insufficient_credit: () =>
    problem(409, 'insufficient_credit', 'Not enough credit', {
      detail: 'The amount would take what is available below the allowed overdraft. Nothing was taken.',
    }),
  grant_key_taken: () =>
    problem(409, 'grant_key_taken', 'A grant of this key exists', {
      detail: 'Another grant was given under this key. Choose a key of its own for a new grant.',
    }),
  grant_used_up: () => problem(409, 'grant_used_up', 'Nothing is left of this grant'),
  grant_expired: () => problem(409, 'grant_expired', 'This grant has expired'),
  hold_key_taken: () =>
    problem(409, 'hold_key_taken', 'A hold of this key exists', {
      detail: 'Another hold was made under this key. Choose a key of its own for a new hold.',
    }),
  hold_resolved: () => problem(409, 'hold_resolved', 'This hold was captured or released before'),
  hold_expired: () => problem(409, 'hold_expired', 'This hold has expired'),
} satisfies Record<string, () => ProblemException>;

const GRANT_FAULTS: Readonly<Record<GrantTermsFault, Omit<Fault, 'value'>>> = {
  ends_before_start: {
    field: 'expires_at',
    problem: 'is not after effective_at',
    fix: 'let the grant end after its start',
  },
  already_over: {
    field: 'expires_at',
    problem: 'is over already',
    fix: 'send an end that is still ahead',
  },
  rollover_min_above_max: {
    field: 'rollover',
    problem: 'has min above max',
    fix: 'send min ≤ max',
  },
  rollover_without_recurrence: {
    field: 'rollover',
    problem: 'needs a recurrence',
    fix: 'send recurrence too, or leave rollover out',
  },
};

/** @param sent the body, where a fault finds the value that it is about */
export function grantFaultsProblem(
  faults: readonly GrantTermsFault[],
  sent: Readonly<Record<string, unknown>>,
): ProblemException {
  return invalid(
    faults.map((name) => {
      const fault = GRANT_FAULTS[name];
      return { ...fault, value: sent[fault.field] ?? null };
    }),
  );
}
