import { addMicros, fromLocal, maxInstant, MICROS, toLocal, weekday } from '@tallygate/kernel';
import type { Instant, LocalDateTime } from '@tallygate/kernel';
import type { Decline } from './decline';
import type { Policy, RetrySchedule } from './policy';

/** One failure run of an invoice: from its first failure until it is paid. */
export interface FailureRun {
  readonly firstFailedAt: Instant;
  /** Steps of this run that are over, the last one included: declined tries, and those we refused to make. */
  readonly stepsUsed: number;
  readonly interval: 'day' | 'week' | 'month' | 'year' | null;
}

export interface Cardholder {
  readonly funding: 'credit' | 'debit';
  /** IANA zone in which paydays and hours of the day are meant. */
  readonly zone: string;
}

const days = (...list: readonly number[]): RetrySchedule => ({
  kind: 'steps',
  steps: list.map((day) => day * MICROS.day),
});
const hours = (...list: readonly number[]): RetrySchedule => ({
  kind: 'steps',
  steps: list.map((hour) => hour * MICROS.hour),
});

const NONE: RetrySchedule = { kind: 'steps', steps: [] };
const DEFAULTS: Readonly<Record<Decline['declineClass'], RetrySchedule>> = {
  hard: NONE,
  data: NONE,
  funds: days(2, 5, 9, 13),
  generic: days(3, 7, 11),
  technical: hours(1, 4, 24, 72),
  authentication: NONE,
};
const WINDOW = { other: 14 * MICROS.day, year: 30 * MICROS.day } as const;
const PAYDAY_NOTICE = 48 * MICROS.hour;
const PAYDAYS: readonly number[] = [1, 15];
const SNAP_DAYS: readonly number[] = [2, 3, 4];
const SNAP_HOUR = 9;
const SNAP_END_HOUR = 11;
const LONGEST_SNAP = MICROS.day;

/**
 * When an invoice is tried again after a decline at `triedAt`; null for never by the clock. The decline's own class
 * decides, steps up to that try are over, the network's advice beats both, and nothing lies past the window.
 */
export function nextRetry(
  decline: Decline,
  triedAt: Instant,
  run: FailureRun,
  policy: Policy,
  holder: Cardholder,
): Instant | null {
  if (decline.advice?.kind === 'never') return null;
  if (decline.advice?.kind === 'wait') return within(addMicros(triedAt, decline.advice.micros), run, policy);
  return nextStep(decline.declineClass, triedAt, run, policy, holder);
}

/** The next step by class alone: also where a step was used up without a try. */
export function nextStep(
  declineClass: Decline['declineClass'],
  after: Instant,
  run: FailureRun,
  policy: Policy,
  holder: Cardholder,
): Instant | null {
  if (declineClass === 'hard' || declineClass === 'data') return null;
  const own = policy.schedules[declineClass];
  if (own === undefined && declineClass === 'funds' && holder.funding === 'debit') {
    return within(snapped(nextPayday(after, holder.zone), policy, holder.zone), run, policy);
  }
  const at = stepAfter(own ?? DEFAULTS[declineClass], after, run);
  return at === null ? null : within(snapped(at, policy, holder.zone), run, policy);
}

/** The end of automatic retries: 14 days from the first failure, 30 for annual plans, or as the policy says. */
export function windowEnd({ firstFailedAt, interval }: FailureRun, policy: Policy): Instant {
  return addMicros(firstFailedAt, policy.maxWindow ?? (interval === 'year' ? WINDOW.year : WINDOW.other));
}

/** The first 1st or 15th of a month, local, at least 48 h away. */
export function nextPayday(after: Instant, zone: string): Instant {
  const earliest = addMicros(after, PAYDAY_NOTICE);
  const { year, month } = toLocal(earliest, zone);
  const candidates = [0, 1].flatMap((ahead) =>
    PAYDAYS.map((day) => fromLocal(midnight(year, month + ahead, day), zone)),
  );
  return candidates.find((payday) => payday >= earliest) ?? maxInstant(earliest, ...candidates);
}

/** The first instant of 09:00 to 11:00 local, Tuesday to Thursday, if that is less than a day away; else `at` itself. */
export function snapForward(at: Instant, zone: string): Instant {
  const local = toLocal(at, zone);
  if (SNAP_DAYS.includes(weekday(at, zone)) && local.hour >= SNAP_HOUR && local.hour < SNAP_END_HOUR)
    return at;
  const noon = fromLocal({ ...local, hour: 12, minute: 0, second: 0, micros: 0 }, zone);
  const mornings = [0, 1]
    .map((ahead) => toLocal(addMicros(noon, ahead * MICROS.day), zone))
    .map((day) => fromLocal({ ...day, hour: SNAP_HOUR }, zone));
  const next = mornings.find((morning) => morning > at && SNAP_DAYS.includes(weekday(morning, zone)));
  return next !== undefined && next - at < LONGEST_SNAP ? next : at;
}

function stepAfter(schedule: RetrySchedule, after: Instant, run: FailureRun): Instant | null {
  if (schedule.kind === 'gaps') {
    const gap = schedule.gaps[run.stepsUsed - 1];
    return gap === undefined ? null : addMicros(after, gap);
  }
  return (
    schedule.steps
      .map((step) => addMicros(run.firstFailedAt, step))
      .sort((a, b) => a - b)
      .find((at) => at > after) ?? null
  );
}

function snapped(at: Instant, policy: Policy, zone: string): Instant {
  return policy.snap ? snapForward(at, zone) : at;
}

function within(at: Instant, run: FailureRun, policy: Policy): Instant | null {
  return at <= windowEnd(run, policy) ? at : null;
}

function midnight(year: number, month: number, day: number): LocalDateTime {
  const overflow = month > 12 ? 1 : 0;
  return {
    year: year + overflow,
    month: month - 12 * overflow,
    day,
    hour: 0,
    minute: 0,
    second: 0,
    micros: 0,
  };
}
