import { isoWeekday, localDay, resolve, wallSecond, zoneOf } from './calendar';
import { civilDate, DAY_SECONDS, dayNumber, floorDiv, floorMod } from './civil';
import { addMicros, instant, MICROS } from './instant';
import type { Instant } from './instant';
import { assertNever } from './invariant';
import type { Period } from './periods';
import type { ZoneOffsets } from './zone-offsets';

/** A window that the local clock or calendar itself marks out. Weeks start on Monday. */
export type CalendarUnit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';

type ClockUnit = 'minute' | 'hour';
type DateUnit = Exclude<CalendarUnit, ClockUnit>;

const CLOCK_SECONDS = { minute: 60, hour: 3600 } as const;

/**
 * The start of the window that holds `i`, never after it. A day whose midnight is skipped starts at the change;
 * one whose midnight occurs twice starts at the first. A repeated hour is two windows.
 */
export function startOf(unit: CalendarUnit, i: Instant, zone: string): Instant {
  return startIn(unit, i, zoneOf(zone));
}

/** The whole windows, in order and without gaps, that together cover [from, to); none when it is empty. */
export function windowsBetween(unit: CalendarUnit, from: Instant, to: Instant, zone: string): Period[] {
  const offsets = zoneOf(zone);
  const windows: Period[] = [];
  if (to <= from) return windows;
  for (let start = startIn(unit, from, offsets); start < to;) {
    const end = nextStart(unit, start, offsets);
    windows.push({ index: windows.length, start, end });
    start = end;
  }
  return windows;
}

function startIn(unit: CalendarUnit, i: Instant, offsets: ZoneOffsets): Instant {
  return unit === 'minute' || unit === 'hour' ? clockStart(unit, i, offsets) : dateStart(unit, i, offsets);
}

function nextStart(unit: CalendarUnit, start: Instant, offsets: ZoneOffsets): Instant {
  return unit === 'minute' || unit === 'hour'
    ? nextClockStart(unit, start, offsets)
    : nextDateStart(unit, start, offsets);
}

/** A change of offset starts a window of its own, unless the clock shows the same hour on both sides of it. */
function clockStart(unit: ClockUnit, i: Instant, offsets: ZoneOffsets): Instant {
  const length = CLOCK_SECONDS[unit];
  const second = floorDiv(i, MICROS.second);
  const start = second - floorMod(second + offsets.at(second), length);
  const change = offsets.lastChange(start, second);
  if (change === null) return instant(start * MICROS.second);
  const label = floorDiv(change + offsets.at(change), length);
  const labelBefore = floorDiv(change - 1 + offsets.at(change - 1), length);
  const at = instant(change * MICROS.second);
  return label === labelBefore ? clockStart(unit, addMicros(at, -1), offsets) : at;
}

function nextClockStart(unit: ClockUnit, start: Instant, offsets: ZoneOffsets): Instant {
  const step = CLOCK_SECONDS[unit] * MICROS.second;
  let reach = addMicros(start, step);
  while (clockStart(unit, reach, offsets) <= start) reach = addMicros(reach, step);
  let next = clockStart(unit, reach, offsets);
  for (let p = clockStart(unit, addMicros(next, -1), offsets); p > start;) {
    next = p;
    p = clockStart(unit, addMicros(next, -1), offsets);
  }
  return next;
}

/** Where the clock falls back across midnight, the date it returns to has already ended. */
function dateStart(unit: DateUnit, i: Instant, offsets: ZoneOffsets): Instant {
  let start = dayStart(firstDay(unit, localDay(i, offsets)), offsets);
  for (let next = nextDateStart(unit, start, offsets); next <= i;) {
    start = next;
    next = nextDateStart(unit, start, offsets);
  }
  return start;
}

/** Skips dates that a zone left out altogether, such as 30 December 2011 in Apia. */
function nextDateStart(unit: DateUnit, start: Instant, offsets: ZoneOffsets): Instant {
  let day = firstDay(unit, floorDiv(wallSecond(start, offsets), DAY_SECONDS));
  let next = start;
  while (next <= start) {
    day = dayAfter(unit, day);
    next = dayStart(day, offsets);
  }
  return next;
}

function dayStart(day: number, offsets: ZoneOffsets): Instant {
  const { second, skippedBy } = resolve(day * DAY_SECONDS, offsets);
  return instant((skippedBy ?? second) * MICROS.second);
}

function firstDay(unit: DateUnit, day: number): number {
  switch (unit) {
    case 'day':
      return day;
    case 'week':
      return day - isoWeekday(day) + 1;
    case 'month':
      return day - civilDate(day).day + 1;
    case 'year':
      return dayNumber(civilDate(day).year, 1, 1);
    default:
      return assertNever(unit);
  }
}

function dayAfter(unit: DateUnit, first: number): number {
  switch (unit) {
    case 'day':
      return first + 1;
    case 'week':
      return first + 7;
    case 'month':
      return firstDay('month', first + 31);
    case 'year':
      return firstDay('year', first + 366);
    default:
      return assertNever(unit);
  }
}
