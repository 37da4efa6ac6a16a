import type { Catalog, DeclineClass, DunningPolicy } from '@tallygate/contracts';
import { exactMicros, invariant, MICROS, parseAmount, parseDuration } from '@tallygate/kernel';
import type { Nano } from '@tallygate/kernel';

/** When to try again after a decline. Lengths in microseconds; days are multiples of 24 h. */
export type RetrySchedule =
  /** After the invoice's first failure. */
  | { readonly kind: 'steps'; readonly steps: readonly number[] }
  /** Each after the try before. */
  | { readonly kind: 'gaps'; readonly gaps: readonly number[] };

export type FinalAction = 'cancel' | 'downgrade' | 'write_off' | 'none';

export interface Policy {
  readonly key: string | null;
  readonly schedules: Readonly<Partial<Record<DeclineClass, RetrySchedule>>>;
  /** Ages of the oldest unpaid invoice. */
  readonly warn: number;
  readonly suspend: number;
  readonly end: number;
  /** Least time between the warning's delivery and the suspension. */
  readonly minNotice: number;
  /** Below this sum, by currency, nobody is warned or denied. */
  readonly minAmount: Readonly<Record<string, Nano>>;
  readonly finalAction: FinalAction;
  readonly downgradeTo: string | null;
  readonly snap: boolean;
  /** How long after the first failure a retry may be; null for the default by the plan's interval. */
  readonly maxWindow: number | null;
}

/** A plan that names no policy. */
export const DEFAULT_POLICY: Policy = {
  key: null,
  schedules: {},
  warn: 3 * MICROS.day,
  suspend: 14 * MICROS.day,
  end: 30 * MICROS.day,
  minNotice: 48 * MICROS.hour,
  minAmount: {},
  finalAction: 'cancel',
  downgradeTo: null,
  snap: true,
  maxWindow: null,
};

/** The catalog's policy of that key; the default one for no key, or for one the catalog no longer has. */
export function policyOf(catalog: Catalog | null, key: string | null): Policy {
  const found = key === null ? undefined : catalog?.dunning_policies.find((policy) => policy.key === key);
  return found === undefined ? DEFAULT_POLICY : readPolicy(found);
}

export function readPolicy(policy: DunningPolicy): Policy {
  const schedules = Object.entries(policy.schedules).map(([name, schedule]) => [
    name,
    readSchedule(schedule),
  ]);
  const minAmount = Object.entries(policy.min_amount).map(([currency, text]) => [currency, amount(text)]);
  return {
    key: policy.key,
    schedules: Object.fromEntries(schedules) as Policy['schedules'],
    warn: micros(policy.warn),
    suspend: micros(policy.suspend),
    end: micros(policy.end),
    minNotice: micros(policy.min_notice),
    minAmount: Object.fromEntries(minAmount) as Policy['minAmount'],
    finalAction: policy.final_action,
    downgradeTo: policy.downgrade_to ?? null,
    snap: policy.snap,
    maxWindow: policy.max_window === undefined ? null : micros(policy.max_window),
  };
}

function readSchedule(schedule: string[] | { gaps: string[] }): RetrySchedule {
  return Array.isArray(schedule)
    ? { kind: 'steps', steps: schedule.map(micros) }
    : { kind: 'gaps', gaps: schedule.gaps.map(micros) };
}

/** Months have no exact length; a policy counts 30 days for one. */
function micros(text: string): number {
  const parsed = parseDuration(text);
  invariant(parsed.ok, `The catalog admits durations only: ${text}`);
  const { months, days } = parsed.value;
  return exactMicros({ months: 0, days: days + months * 30, micros: parsed.value.micros });
}

function amount(text: string): Nano {
  const parsed = parseAmount(text);
  invariant(parsed.ok, `The catalog admits amounts only: ${text}`);
  return parsed.value;
}
