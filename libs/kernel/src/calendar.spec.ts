import { addCalendar, fromLocal, isTimeZone, toLocal, weekday } from './calendar';
import type { LocalDateTime } from './calendar';
import type { Duration } from './duration';
import { parseDuration } from './duration';
import { addMicros, formatInstant, instant, parseInstant } from './instant';
import type { Instant } from './instant';
import { InvariantViolation } from './invariant';

const at = (text: string): Instant => {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
};

const duration = (text: string): Duration => {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
};

/** 'YYYY-MM-DD HH:MM:SS.ffffff' of some wall clock. */
const local = (text: string): LocalDateTime => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, micros = 0] = text
    .split(/[-: .]/)
    .map(Number);
  return { year, month, day, hour, minute, second, micros };
};

describe('isTimeZone', () => {
  test.each([
    ['UTC', true],
    ['Europe/Berlin', true],
    ['Asia/Kathmandu', true],
    ['Asia/Katmandu', true],
    ['America/Argentina/Buenos_Aires', true],
    ['Europe/Atlantis', false],
    ['+02:00', false],
    ['', false],
    ['__proto__', false],
  ])('%p is %p', (zone, expected) => {
    expect(isTimeZone(zone)).toBe(expected);
  });

  test('an unknown zone is a bug anywhere else', () => {
    expect(() => toLocal(instant(0), 'Europe/Atlantis')).toThrow(InvariantViolation);
  });
});

describe('toLocal', () => {
  test.each([
    ['2026-03-29T00:59:59.999999Z', 'Europe/Berlin', '2026-03-29 01:59:59.999999'],
    ['2026-03-29T01:00:00Z', 'Europe/Berlin', '2026-03-29 03:00:00.0'],
    ['2026-10-25T00:59:59.999999Z', 'Europe/Berlin', '2026-10-25 02:59:59.999999'],
    ['2026-10-25T01:00:00Z', 'Europe/Berlin', '2026-10-25 02:00:00.0'],
    ['2026-03-08T06:59:59.999999Z', 'America/New_York', '2026-03-08 01:59:59.999999'],
    ['2026-03-08T07:00:00Z', 'America/New_York', '2026-03-08 03:00:00.0'],
    ['2026-04-04T14:59:59.999999Z', 'Australia/Lord_Howe', '2026-04-05 01:59:59.999999'],
    ['2026-04-04T15:00:00Z', 'Australia/Lord_Howe', '2026-04-05 01:30:00.0'],
    ['2026-10-03T15:30:00Z', 'Australia/Lord_Howe', '2026-10-04 02:30:00.0'],
    ['2026-01-01T00:00:00Z', 'Asia/Kathmandu', '2026-01-01 05:45:00.0'],
    ['2011-12-30T09:59:59.999999Z', 'Pacific/Apia', '2011-12-29 23:59:59.999999'],
    ['2011-12-30T10:00:00Z', 'Pacific/Apia', '2011-12-31 00:00:00.0'],
    ['2018-11-04T02:59:59.999999Z', 'America/Sao_Paulo', '2018-11-03 23:59:59.999999'],
    ['2018-11-04T03:00:00Z', 'America/Sao_Paulo', '2018-11-04 01:00:00.0'],
    ['1893-03-31T23:06:31Z', 'Europe/Berlin', '1893-03-31 23:59:59.0'],
    ['1893-03-31T23:06:32Z', 'Europe/Berlin', '1893-04-01 00:06:32.0'],
    ['1969-12-31T23:59:59.999999Z', 'UTC', '1969-12-31 23:59:59.999999'],
  ])('%s in %s is %s', (text, zone, wall) => {
    expect(toLocal(at(text), zone)).toEqual(local(wall));
  });
});

describe('fromLocal', () => {
  test.each([
    ['a plain time', '2026-07-01 09:00:00.000001', 'Europe/Berlin', '2026-07-01T07:00:00.000001Z'],
    ['before the gap', '2026-03-29 01:59:59.999999', 'Europe/Berlin', '2026-03-29T00:59:59.999999Z'],
    ['first of the gap', '2026-03-29 02:00:00.0', 'Europe/Berlin', '2026-03-29T01:00:00Z'],
    ['in the gap', '2026-03-29 02:30:00.0', 'Europe/Berlin', '2026-03-29T01:30:00Z'],
    ['after the gap', '2026-03-29 03:00:00.0', 'Europe/Berlin', '2026-03-29T01:00:00Z'],
    ['twice: the first', '2026-10-25 02:00:00.0', 'Europe/Berlin', '2026-10-25T00:00:00Z'],
    [
      'twice: the first, to its end',
      '2026-10-25 02:59:59.999999',
      'Europe/Berlin',
      '2026-10-25T00:59:59.999999Z',
    ],
    ['once again', '2026-10-25 03:00:00.0', 'Europe/Berlin', '2026-10-25T02:00:00Z'],
    ['in the gap', '2026-03-08 02:30:00.0', 'America/New_York', '2026-03-08T07:30:00Z'],
    ['twice: the first', '2026-11-01 01:30:00.0', 'America/New_York', '2026-11-01T05:30:00Z'],
    ['a gap of 30 minutes', '2026-10-04 02:15:00.0', 'Australia/Lord_Howe', '2026-10-03T15:45:00Z'],
    ['30 minutes twice', '2026-04-05 01:45:00.0', 'Australia/Lord_Howe', '2026-04-04T14:45:00Z'],
    ['no midnight', '2018-11-04 00:00:00.0', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['23:30 twice', '2018-02-17 23:30:00.0', 'America/Sao_Paulo', '2018-02-18T01:30:00Z'],
    ['a date left out moves by its 24 h', '2011-12-30 12:00:00.0', 'Pacific/Apia', '2011-12-30T22:00:00Z'],
    ['no daylight saving', '2026-03-29 02:30:00.0', 'Asia/Kathmandu', '2026-03-28T20:45:00Z'],
  ])('%s: %s in %s is %s', (_, wall, zone, text) => {
    expect(formatInstant(fromLocal(local(wall), zone))).toBe(text);
  });

  test.each([
    '2026-02-29 00:00:00.0',
    '2026-13-01 00:00:00.0',
    '2026-01-01 24:00:00.0',
    '2026-01-01 00:60:00.0',
    '2026-01-01 00:00:60.0',
    '2026-01-01 00:00:00.1000000',
  ])('%s is not a local time', (wall) => {
    expect(() => fromLocal(local(wall), 'UTC')).toThrow(InvariantViolation);
  });
});

test.each([
  ['2026-07-06T00:00:00Z', 'UTC', 1],
  ['2026-07-05T23:59:59.999999Z', 'UTC', 7],
  ['2026-07-05T22:00:00Z', 'Europe/Berlin', 1],
  ['1970-01-01T00:00:00Z', 'UTC', 4],
  ['1969-12-31T23:59:59Z', 'UTC', 3],
  ['2011-12-30T10:00:00Z', 'Pacific/Apia', 6],
])('%s in %s is weekday %p', (text, zone, expected) => {
  expect(weekday(at(text), zone)).toBe(expected);
});

describe('addCalendar', () => {
  test.each([
    ['2026-01-31T12:00:00Z', '1mo', 'UTC', '2026-02-28T12:00:00Z'],
    ['2028-01-31T12:00:00Z', '1mo', 'UTC', '2028-02-29T12:00:00Z'],
    ['2028-02-29T12:00:00Z', '1y', 'UTC', '2029-02-28T12:00:00Z'],
    ['2028-02-29T12:00:00Z', '4y', 'UTC', '2032-02-29T12:00:00Z'],
    ['2026-12-15T12:00:00Z', '2mo', 'UTC', '2027-02-15T12:00:00Z'],
    ['2026-01-31T12:00:00Z', '1mo1d', 'UTC', '2026-03-01T12:00:00Z'],
    ['2026-03-28T08:00:00Z', '1d', 'Europe/Berlin', '2026-03-29T07:00:00Z'],
    ['2026-03-28T08:00:00Z', '24h', 'Europe/Berlin', '2026-03-29T08:00:00Z'],
    ['2026-10-24T07:00:00Z', '1d', 'Europe/Berlin', '2026-10-25T08:00:00Z'],
    ['2026-03-28T01:30:00Z', '1d', 'Europe/Berlin', '2026-03-29T01:30:00Z'],
    ['2026-03-28T01:30:00Z', '1d30m', 'Europe/Berlin', '2026-03-29T02:00:00Z'],
    ['2026-10-25T01:30:00.000001Z', '0s', 'Europe/Berlin', '2026-10-25T01:30:00.000001Z'],
    ['2026-10-25T01:30:00Z', '1s', 'Europe/Berlin', '2026-10-25T01:30:01Z'],
  ])('%s + %s in %s is %s', (text, step, zone, expected) => {
    expect(formatInstant(addCalendar(at(text), duration(step), zone))).toBe(expected);
  });

  test('steps back as well', () => {
    const back = { months: -1, days: -1, micros: -1 };
    expect(formatInstant(addCalendar(at('2026-03-31T12:00:00Z'), back, 'UTC'))).toBe(
      '2026-02-27T11:59:59.999999Z',
    );
  });

  test('a microsecond at either side of a change stays a microsecond', () => {
    const change = at('2026-03-29T01:00:00Z');
    expect(toLocal(addMicros(change, -1), 'Europe/Berlin').hour).toBe(1);
    expect(toLocal(change, 'Europe/Berlin').hour).toBe(3);
  });
});
