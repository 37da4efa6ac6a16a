import { MICROS } from './instant';
import { invariant } from './invariant';
import { err, ok } from './result';
import type { Result } from './result';
import { shown } from './shown';

/** Months and days are steps of the local calendar; micros are exact. Applied in that order. */
export interface Duration {
  readonly months: number;
  readonly days: number;
  readonly micros: number;
}

/** Why a text is not a duration, and what to send instead. */
export interface DurationFault {
  code: 'not_a_duration' | 'out_of_range';
  value: string;
  fix: string;
}

const FIXES: Record<DurationFault['code'], string> = {
  not_a_duration: 'Send whole numbers with units s, m, h, d, w, mo or y, such as "90s", "2w" or "1d2h".',
  out_of_range: 'Send at most 280 years.',
};

const UNITS: Readonly<Record<string, Duration>> = {
  s: { months: 0, days: 0, micros: MICROS.second },
  m: { months: 0, days: 0, micros: MICROS.minute },
  h: { months: 0, days: 0, micros: MICROS.hour },
  d: { months: 0, days: 1, micros: 0 },
  w: { months: 0, days: 7, micros: 0 },
  mo: { months: 1, days: 0, micros: 0 },
  y: { months: 12, days: 0, micros: 0 },
};

const SHAPE = /^(?:\d{1,12}(?:mo|[smhdwy]))+$/;
const TERM = /(\d+)(mo|[smhdwy])/g;
const LONGEST_TEXT = 64;
const MOST = { months: 280 * 12, days: 280 * 365, micros: 280 * 365 * MICROS.day };

/** Reads '90s', '5m', '2h', '3d', '2w', '1mo', '1y' or a sum such as '1d2h'. */
export function parseDuration(text: unknown): Result<Duration, DurationFault> {
  if (typeof text !== 'string' || text.length > LONGEST_TEXT || !SHAPE.test(text)) {
    return refuse('not_a_duration', text);
  }
  const sum = { months: 0, days: 0, micros: 0 };
  for (const [, count, name] of text.matchAll(TERM)) {
    const unit = UNITS[name ?? ''];
    invariant(unit, 'The shape admits known units only');
    sum.months += Number(count) * unit.months;
    sum.days += Number(count) * unit.days;
    sum.micros += Number(count) * unit.micros;
  }
  const tooLong = sum.months > MOST.months || sum.days > MOST.days || sum.micros > MOST.micros;
  return tooLong ? refuse('out_of_range', text) : ok(sum);
}

/** The canonical text, largest unit first, without weeks; '0s' for none. A part of a second shows as '1.5s'. */
export function formatDuration(d: Duration): string {
  const hours = Math.floor(d.micros / MICROS.hour);
  const minutes = Math.floor((d.micros % MICROS.hour) / MICROS.minute);
  const seconds = (d.micros % MICROS.minute) / MICROS.second;
  const years = Math.floor(d.months / 12);
  const terms: ReadonlyArray<readonly [number, string]> = [
    [years, 'y'],
    [d.months % 12, 'mo'],
    [d.days, 'd'],
    [hours, 'h'],
    [minutes, 'm'],
    [seconds, 's'],
  ];
  const text = terms.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
  return text === '' ? '0s' : text;
}

/** Microseconds with days of 24 h. Throws InvariantViolation for months, which have no exact length. */
export function exactMicros(d: Duration): number {
  invariant(d.months === 0, 'A duration with months has no exact length');
  return d.days * MICROS.day + d.micros;
}

function refuse(code: DurationFault['code'], value: unknown): Result<Duration, DurationFault> {
  return err({ code, value: shown(value), fix: FIXES[code] });
}
