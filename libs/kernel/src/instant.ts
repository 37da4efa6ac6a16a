import { civilDate, DAY_SECONDS, dayNumber, daysInMonth, floorDiv, floorMod } from './civil';
import { invariant } from './invariant';
import { err, ok } from './result';
import type { Result } from './result';
import { shown } from './shown';

/** Microseconds since 1970-01-01T00:00:00Z, a safe integer: exact from July 1684 to June 2255. */
export type Instant = number & { readonly __instant: 'micros' };

/** Why a text is not an instant, and what to send instead. */
export interface InstantFault {
  code: 'not_an_instant' | 'no_offset' | 'no_such_time' | 'leap_second' | 'too_precise' | 'out_of_range';
  value: string;
  fix: string;
}

/** Exact units, in microseconds. A day here is 24 hours; calendar days are in `calendar.ts`. */
export const MICROS = {
  second: 1_000_000,
  minute: 60_000_000,
  hour: 3_600_000_000,
  day: 86_400_000_000,
} as const;

const FIXES: Record<InstantFault['code'], string> = {
  not_an_instant: 'Send an RFC 3339 time such as "2026-03-29T01:00:00.5Z".',
  no_offset: 'End the time with Z or an offset such as +02:00.',
  no_such_time: 'Send a date and a time of day that exist.',
  leap_second: 'Send seconds from 00 to 59; leap seconds are not counted.',
  too_precise: 'Send at most 6 digits of a second.',
  out_of_range: 'Send a time between the years 1685 and 2254.',
};

const FIRST = dayNumber(1685, 1, 1) * MICROS.day;
const END = dayNumber(2255, 1, 1) * MICROS.day;
const LONGEST_TEXT = 64;
const PREFIX_LENGTH = 'YYYY-MM-DDTHH:MM:SS'.length;

/** Asserts that `micros` is a safe integer; throws InvariantViolation otherwise. */
export function instant(micros: number): Instant {
  invariant(Number.isSafeInteger(micros), 'An instant is a whole, exact number of microseconds');
  return (micros + 0) as Instant;
}

/**
 * Reads RFC 3339 with Z or an offset and up to 6 significant digits of a second, in the years 1685 to 2254.
 * The half year to the end of the exact range is left free, so that adding an allowance to a caller's time is safe.
 */
export function parseInstant(text: unknown): Result<Instant, InstantFault> {
  if (typeof text !== 'string' || text.length > LONGEST_TEXT) return refuse('not_an_instant', text);
  const seconds = parseWallSeconds(text);
  if (typeof seconds === 'string') return refuse(seconds, text);
  const fractionEnd = endOfFraction(text);
  const fraction =
    fractionEnd === PREFIX_LENGTH ? 0 : parseFraction(text.slice(PREFIX_LENGTH + 1, fractionEnd));
  if (typeof fraction === 'string') return refuse(fraction, text);
  const offset = parseOffset(text, fractionEnd);
  if (typeof offset === 'string') return refuse(offset, text);
  const micros = (seconds - offset) * MICROS.second + fraction;
  return micros >= FIRST && micros < END ? ok((micros + 0) as Instant) : refuse('out_of_range', text);
}

/** UTC, 'YYYY-MM-DDTHH:MM:SS[.fff[fff]]Z'; the fraction only when it is not zero, with 3 or 6 digits. */
export function formatInstant(i: Instant): string {
  const micros = floorMod(i, MICROS.second);
  const seconds = (i - micros) / MICROS.second;
  const ofDay = floorMod(seconds, DAY_SECONDS);
  const { year, month, day } = civilDate((seconds - ofDay) / DAY_SECONDS);
  const minutes = Math.floor(ofDay / 60);
  const time = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(ofDay % 60)}`;
  return `${year}-${two(month)}-${two(day)}T${time}${formatFraction(micros)}Z`;
}

/** From Unix milliseconds. */
export function fromMillis(ms: number): Instant {
  return instant(ms * 1000);
}

/** Unix milliseconds, rounded down. */
export function toMillis(i: Instant): number {
  return floorDiv(i, 1000);
}

/** Moves by an exact number of microseconds. */
export function addMicros(i: Instant, micros: number): Instant {
  return instant(i + micros);
}

/** The first of at least one. */
export function minInstant(first: Instant, ...rest: readonly Instant[]): Instant {
  return rest.reduce((least, i) => (i < least ? i : least), first);
}

/** The last of at least one. */
export function maxInstant(first: Instant, ...rest: readonly Instant[]): Instant {
  return rest.reduce((most, i) => (i > most ? i : most), first);
}

/** The first of those that are set; null when none is. */
export function earliest(...list: readonly (Instant | null | undefined)[]): Instant | null {
  let least: Instant | null = null;
  for (const i of list) {
    if (i !== null && i !== undefined && (least === null || i < least)) least = i;
  }
  return least;
}

function refuse(code: InstantFault['code'], value: unknown): Result<Instant, InstantFault> {
  return err({ code, value: shown(value), fix: FIXES[code] });
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

function formatFraction(micros: number): string {
  if (micros === 0) return '';
  if (micros % 1000 === 0) return `.${String(micros / 1000).padStart(3, '0')}`;
  return `.${String(micros).padStart(6, '0')}`;
}

/** Reads 'YYYY-MM-DDTHH:MM:SS' as seconds of the wall clock since 1970. */
function parseWallSeconds(text: string): number | InstantFault['code'] {
  if (!hasSeparators(text)) return 'not_an_instant';
  const year = pair(text, 0) * 100 + pair(text, 2);
  const month = pair(text, 5);
  const day = pair(text, 8);
  const hour = pair(text, 11);
  const minute = pair(text, 14);
  const second = pair(text, 17);
  if (Number.isNaN(year + month + day + hour + minute + second)) return 'not_an_instant';
  if (second === 60) return 'leap_second';
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return 'no_such_time';
  if (hour > 23 || minute > 59 || second > 59) return 'no_such_time';
  return dayNumber(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
}

function hasSeparators(text: string): boolean {
  const t = text[10];
  return (
    text[4] === '-' && text[7] === '-' && (t === 'T' || t === 't') && text[13] === ':' && text[16] === ':'
  );
}

/** Two decimal digits; NaN when either is not one. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

function endOfFraction(text: string): number {
  if (text[PREFIX_LENGTH] !== '.') return PREFIX_LENGTH;
  let at = PREFIX_LENGTH + 1;
  for (let c = text.charCodeAt(at); c >= 48 && c <= 57; c = text.charCodeAt(at)) at += 1;
  return at;
}

function parseFraction(digits: string): number | InstantFault['code'] {
  if (digits === '') return 'not_an_instant';
  if (digits.length <= 6) return Number(digits.padEnd(6, '0'));
  return /^0+$/.test(digits.slice(6)) ? Number(digits.slice(0, 6)) : 'too_precise';
}

/** Seconds east of UTC. */
function parseOffset(text: string, at: number): number | InstantFault['code'] {
  const sign = text[at];
  if (sign === undefined) return 'no_offset';
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : 'not_an_instant';
  if ((sign !== '+' && sign !== '-') || text.length !== at + 6 || text[at + 3] !== ':')
    return 'not_an_instant';
  const hours = pair(text, at + 1);
  const minutes = pair(text, at + 4);
  if (Number.isNaN(hours + minutes)) return 'not_an_instant';
  if (hours > 23 || minutes > 59) return 'no_such_time';
  return (sign === '-' ? -60 : 60) * (hours * 60 + minutes);
}
