import { civilDate, DAY_SECONDS, dayNumber, daysInMonth, floorDiv, floorMod } from './civil';
import type { Duration } from './duration';
import { addMicros, instant, MICROS } from './instant';
import type { Instant } from './instant';
import { invariant } from './invariant';
import { findZone } from './zone-offsets';
import type { ZoneOffsets } from './zone-offsets';

/** What a wall clock and calendar in some zone show. `month` and `day` count from 1. */
export interface LocalDateTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly micros: number;
}

/** True for an IANA zone name that this machine's time zone data knows. */
export function isTimeZone(zone: string): boolean {
  return typeof zone === 'string' && findZone(zone) !== null;
}

/** The wall clock of a zone at an instant. Throws InvariantViolation for an unknown zone. */
export function toLocal(i: Instant, zone: string): LocalDateTime {
  const wall = wallSecond(i, zoneOf(zone));
  const ofDay = floorMod(wall, DAY_SECONDS);
  const minutes = Math.floor(ofDay / 60);
  const { year, month, day } = civilDate((wall - ofDay) / DAY_SECONDS);
  return {
    year,
    month,
    day,
    hour: Math.floor(minutes / 60),
    minute: minutes % 60,
    second: ofDay % 60,
    micros: floorMod(i, MICROS.second),
  };
}

/**
 * The instant at which a zone's wall clock shows `local`: a time that does not exist moves forward by the gap,
 * one that occurs twice is the first. Throws InvariantViolation for fields out of range or an unknown zone.
 */
export function fromLocal(local: LocalDateTime, zone: string): Instant {
  const { year, month, day, hour, minute, second, micros } = local;
  invariant(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month), 'No such local date');
  invariant(hour >= 0 && hour < 24 && minute >= 0 && minute < 60, 'No such local time');
  invariant(second >= 0 && second < 60 && micros >= 0 && micros < MICROS.second, 'No such local time');
  const wall = dayNumber(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
  return instant(resolve(wall, zoneOf(zone)).second * MICROS.second + micros);
}

/** ISO weekday of the local date: Monday is 1, Sunday 7. */
export function weekday(i: Instant, zone: string): 1 | 2 | 3 | 4 | 5 | 6 | 7 {
  return isoWeekday(localDay(i, zoneOf(zone)));
}

/**
 * `d` after `i` on the local clock: months first (a missing day becomes the last of its month), then days,
 * then exact microseconds. Without months and days no local clock is read, so a repeated hour stays itself.
 */
export function addCalendar(i: Instant, d: Duration, zone: string): Instant {
  if (d.months === 0 && d.days === 0) return addMicros(i, d.micros);
  const offsets = zoneOf(zone);
  const wall = wallSecond(i, offsets);
  const ofDay = floorMod(wall, DAY_SECONDS);
  const date = addMonths((wall - ofDay) / DAY_SECONDS, d.months) + d.days;
  const { second } = resolve(date * DAY_SECONDS + ofDay, offsets);
  return instant(second * MICROS.second + floorMod(i, MICROS.second) + d.micros);
}

/** Opens a zone's offsets. Throws InvariantViolation for an unknown zone. */
export function zoneOf(zone: string): ZoneOffsets {
  const offsets = findZone(zone);
  invariant(offsets, 'Not an IANA time zone');
  return offsets;
}

/** Seconds of the local wall clock, counted as if they were UTC. */
export function wallSecond(i: Instant, offsets: ZoneOffsets): number {
  const second = floorDiv(i, MICROS.second);
  return second + offsets.at(second);
}

/** The local date's day number. */
export function localDay(i: Instant, offsets: ZoneOffsets): number {
  return floorDiv(wallSecond(i, offsets), DAY_SECONDS);
}

/** ISO weekday of a day number. 1970-01-01 was a Thursday. */
export function isoWeekday(day: number): 1 | 2 | 3 | 4 | 5 | 6 | 7 {
  return (floorMod(day + 3, 7) + 1) as 1 | 2 | 3 | 4 | 5 | 6 | 7;
}

/**
 * The Unix second at which the wall clock shows `wall`, and the change that skipped it, if one did.
 * The offsets a day earlier and a day later are the only candidates, since no offset reaches 24 h
 * and no zone changes twice within two days.
 */
export function resolve(wall: number, offsets: ZoneOffsets): { second: number; skippedBy: number | null } {
  const before = offsets.at(wall - DAY_SECONDS);
  const after = offsets.at(wall + DAY_SECONDS);
  const early = wall - before;
  if (before === after || offsets.at(early) === before) return { second: early, skippedBy: null };
  const late = wall - after;
  if (offsets.at(late) === after) return { second: late, skippedBy: null };
  return { second: early, skippedBy: offsets.lastChange(late, early) };
}

function addMonths(day: number, months: number): number {
  if (months === 0) return day;
  const date = civilDate(day);
  const total = date.year * 12 + date.month - 1 + months;
  const year = floorDiv(total, 12);
  const month = floorMod(total, 12) + 1;
  return dayNumber(year, month, Math.min(date.day, daysInMonth(year, month)));
}
