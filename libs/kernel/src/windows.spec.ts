import { formatInstant, parseInstant } from './instant';
import type { Instant } from './instant';
import { startOf, windowsBetween } from './windows';
import type { CalendarUnit } from './windows';

const at = (text: string): Instant => {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
};

const BERLIN = 'Europe/Berlin';

describe('startOf', () => {
  test.each<[CalendarUnit, string, string, string]>([
    ['minute', '2026-07-08T12:34:56.789Z', BERLIN, '2026-07-08T12:34:00Z'],
    ['hour', '2026-07-08T12:34:56.789Z', BERLIN, '2026-07-08T12:00:00Z'],
    ['hour', '2026-07-08T12:34:56.789Z', 'Asia/Kathmandu', '2026-07-08T12:15:00Z'],
    ['day', '2026-07-08T12:34:56.789Z', BERLIN, '2026-07-07T22:00:00Z'],
    ['week', '2026-07-08T12:34:56.789Z', BERLIN, '2026-07-05T22:00:00Z'],
    ['month', '2026-07-08T12:34:56.789Z', BERLIN, '2026-06-30T22:00:00Z'],
    ['year', '2026-07-08T12:34:56.789Z', BERLIN, '2025-12-31T23:00:00Z'],
    ['day', '2026-07-07T22:00:00Z', BERLIN, '2026-07-07T22:00:00Z'],
    ['day', '2026-07-07T21:59:59.999999Z', BERLIN, '2026-07-06T22:00:00Z'],
    ['week', '2026-07-05T21:59:59.999999Z', BERLIN, '2026-06-28T22:00:00Z'],
    ['month', '2028-02-29T23:59:59.999999Z', 'UTC', '2028-02-01T00:00:00Z'],
    ['year', '2027-01-01T00:00:00Z', 'UTC', '2027-01-01T00:00:00Z'],
    ['hour', '2026-10-25T00:30:00Z', BERLIN, '2026-10-25T00:00:00Z'],
    ['hour', '2026-10-25T01:30:00Z', BERLIN, '2026-10-25T01:00:00Z'],
    ['hour', '2026-03-29T01:30:00Z', BERLIN, '2026-03-29T01:00:00Z'],
    ['hour', '2026-04-04T15:15:00Z', 'Australia/Lord_Howe', '2026-04-04T14:00:00Z'],
    ['hour', '2026-10-03T15:45:00Z', 'Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
    ['day', '2018-11-04T12:00:00Z', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['day', '2018-02-18T02:30:00Z', 'America/Sao_Paulo', '2018-02-17T02:00:00Z'],
    ['day', '2011-12-30T10:00:00Z', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
  ])('%s of %s in %s is %s', (unit, text, zone, expected) => {
    expect(formatInstant(startOf(unit, at(text), zone))).toBe(expected);
  });

  test('a clock that falls back across midnight does not reopen the ended date', () => {
    const midnight = '2010-11-07T02:30:00Z';
    expect(formatInstant(startOf('day', at('2010-11-07T02:45:00Z'), 'America/St_Johns'))).toBe(midnight);
  });

  test('a date whose midnight was skipped from the evening before starts at the change', () => {
    expect(formatInstant(startOf('day', at('1919-03-31T04:45:00Z'), 'America/Toronto'))).toBe(
      '1919-03-31T04:30:00Z',
    );
  });
});

describe('windowsBetween', () => {
  const starts = (unit: CalendarUnit, from: string, to: string, zone: string): string[] =>
    windowsBetween(unit, at(from), at(to), zone).map(({ start }) => formatInstant(start));

  test('covers the range with whole windows', () => {
    expect(windowsBetween('day', at('2026-03-28T12:00:00Z'), at('2026-03-30T12:00:00Z'), BERLIN)).toEqual([
      { index: 0, start: at('2026-03-27T23:00:00Z'), end: at('2026-03-28T23:00:00Z') },
      { index: 1, start: at('2026-03-28T23:00:00Z'), end: at('2026-03-29T22:00:00Z') },
      { index: 2, start: at('2026-03-29T22:00:00Z'), end: at('2026-03-30T22:00:00Z') },
    ]);
  });

  test('the end is open', () => {
    expect(starts('month', '2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z', 'UTC')).toHaveLength(2);
    expect(starts('month', '2026-01-01T00:00:00Z', '2026-03-01T00:00:00.000001Z', 'UTC')).toHaveLength(3);
    expect(starts('day', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'UTC')).toEqual([]);
  });

  test('a date that was left out has no window', () => {
    expect(starts('day', '2011-12-29T12:00:00Z', '2011-12-31T12:00:00Z', 'Pacific/Apia')).toEqual([
      '2011-12-29T10:00:00Z',
      '2011-12-30T10:00:00Z',
      '2011-12-31T10:00:00Z',
    ]);
  });

  test('a repeated hour is two windows, a repeated half hour is part of its hour', () => {
    expect(starts('hour', '2026-10-25T00:00:00Z', '2026-10-25T03:00:00Z', BERLIN)).toEqual([
      '2026-10-25T00:00:00Z',
      '2026-10-25T01:00:00Z',
      '2026-10-25T02:00:00Z',
    ]);
    expect(starts('hour', '2026-04-04T14:00:00Z', '2026-04-04T16:30:00Z', 'Australia/Lord_Howe')).toEqual([
      '2026-04-04T14:00:00Z',
      '2026-04-04T15:30:00Z',
    ]);
  });

  test('a clock that falls back one minute past midnight', () => {
    expect(starts('hour', '2010-11-07T02:00:00Z', '2010-11-07T04:00:00Z', 'America/St_Johns')).toEqual([
      '2010-11-07T01:30:00Z',
      '2010-11-07T02:30:00Z',
      '2010-11-07T02:31:00Z',
      '2010-11-07T03:30:00Z',
    ]);
  });
});
