import { addCalendar, localDay, zoneOf } from './calendar';
import { civilDate } from './civil';
import type { Duration } from './duration';
import type { Instant } from './instant';
import { assertNever, invariant } from './invariant';

/** How often a period repeats on the local calendar. */
export type Interval = 'day' | 'week' | 'month' | 'year';

/** [start, end); `index` counts from the anchor's own period, 0, and may be negative. */
export interface Period {
  readonly index: number;
  readonly start: Instant;
  readonly end: Instant;
}

const STEPS: Readonly<Record<Interval, Duration>> = {
  day: { months: 0, days: 1, micros: 0 },
  week: { months: 0, days: 7, micros: 0 },
  month: { months: 1, days: 0, micros: 0 },
  year: { months: 12, days: 0, micros: 0 },
};

/**
 * The period `index` intervals after the one that starts at `anchor`. Every bound is computed from the anchor's
 * local day and time, so a short month does not shift later ones: 31 Jan, 28 Feb, 31 Mar.
 * Empty only for a date that its zone left out altogether.
 */
export function periodAt(anchor: Instant, interval: Interval, index: number, zone: string): Period {
  const every = STEPS[interval];
  return {
    index,
    start: recurrenceAt(anchor, every, index, zone),
    end: recurrenceAt(anchor, every, index + 1, zone),
  };
}

/** The one period of the anchor's series that holds `at`; an instant at a bound belongs to the later one. */
export function periodContaining(anchor: Instant, interval: Interval, at: Instant, zone: string): Period {
  let period = periodAt(anchor, interval, intervalsApart(anchor, interval, at, zone), zone);
  while (at < period.start) period = periodAt(anchor, interval, period.index - 1, zone);
  while (at >= period.end) period = periodAt(anchor, interval, period.index + 1, zone);
  return period;
}

/** anchor + k × every, computed from the anchor each time so that nothing drifts. `k` is an integer. */
export function recurrenceAt(anchor: Instant, every: Duration, k: number, zone: string): Instant {
  invariant(Number.isSafeInteger(k), 'A recurrence is counted in whole steps');
  return addCalendar(
    anchor,
    { months: every.months * k, days: every.days * k, micros: every.micros * k },
    zone,
  );
}

/** Whole local intervals by date alone: right, or one off. */
function intervalsApart(anchor: Instant, interval: Interval, at: Instant, zone: string): number {
  const offsets = zoneOf(zone);
  const from = localDay(anchor, offsets);
  const to = localDay(at, offsets);
  switch (interval) {
    case 'day':
      return to - from;
    case 'week':
      return Math.floor((to - from) / 7);
    case 'month':
      return monthsApart(from, to);
    case 'year':
      return civilDate(to).year - civilDate(from).year;
    default:
      return assertNever(interval);
  }
}

function monthsApart(from: number, to: number): number {
  const a = civilDate(from);
  const b = civilDate(to);
  return (b.year - a.year) * 12 + b.month - a.month;
}
