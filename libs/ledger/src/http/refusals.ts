import { invalid, problem } from '@tallygate/platform';
import type { Fault, ProblemException } from '@tallygate/platform';
import type { GrantTermsFault } from '../domain';

/** Every refusal of the ledger's routes, by its code. */
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
  grant_unknown: () => problem(404, 'grant_unknown', 'No such grant'),
  hold_unknown: () => problem(404, 'hold_unknown', 'No such hold'),
  entry_unknown: () => problem(404, 'entry_unknown', 'The statement has no such entry'),
  event_unknown: () => problem(404, 'event_unknown', 'No such event was booked'),
  partition_not_stopped: ({ topic, partition }: { readonly topic: string; readonly partition: number }) =>
    problem(409, 'partition_not_stopped', 'The partition does not stand still', {
      detail: `Nothing of ${topic}/${partition} was lost; there is nothing to skip.`,
    }),
  meter_unknown: () => problem(404, 'meter_unknown', 'No such meter'),
  quota_unknown: () => problem(404, 'quota_unknown', 'The customer has no quota of this feature now'),
  reset_in_future: () =>
    invalid([{ field: 'at', value: null, problem: 'lies ahead', fix: 'send an instant up to now' }]),
  reset_before_period: () =>
    problem(409, 'reset_before_period', 'The present period begins after that instant'),
  reset_repeated: () => problem(409, 'reset_repeated', 'The quota was reset at that instant before'),
  customer_unknown: (key: string) =>
    problem(404, 'customer_unknown', 'No such customer', {
      detail: `No customer has the key ${JSON.stringify(key.slice(0, 128))}.`,
    }),
  too_many_windows: (count: number) =>
    problem(422, 'too_many_windows', `${count} windows are more than one answer may have`),
} satisfies Record<string, (...about: never[]) => ProblemException>;

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
  too_many_periods: {
    field: 'recurrence',
    problem: 'has more than 5,000 periods before now',
    fix: 'let it begin later, or recur less often',
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
