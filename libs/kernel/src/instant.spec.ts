import {
  addMicros,
  earliest,
  formatInstant,
  fromMillis,
  instant,
  maxInstant,
  MICROS,
  minInstant,
  parseInstant,
  toMillis,
} from './instant';
import type { InstantFault } from './instant';
import { InvariantViolation } from './invariant';

const outcome = (text: unknown): string => {
  const parsed = parseInstant(text);
  return parsed.ok ? formatInstant(parsed.value) : parsed.error.code;
};

describe('parseInstant reads', () => {
  test.each([
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z'],
    ['1970-01-01t00:00:00z', '1970-01-01T00:00:00Z'],
    ['2026-03-29T03:00:00+02:00', '2026-03-29T01:00:00Z'],
    ['2026-01-01T00:30:00+05:45', '2025-12-31T18:45:00Z'],
    ['2025-12-31T20:00:00-08:00', '2026-01-01T04:00:00Z'],
    ['2026-01-01T00:00:00-00:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.500Z'],
    ['2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.000001Z'],
    ['2026-01-01T00:00:00.10Z', '2026-01-01T00:00:00.100Z'],
    ['2026-01-01T00:00:00.1234Z', '2026-01-01T00:00:00.123400Z'],
    ['2026-01-01T00:00:00.123456000Z', '2026-01-01T00:00:00.123456Z'],
    ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00Z'],
    ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00Z'],
    ['2000-02-29T12:00:00Z', '2000-02-29T12:00:00Z'],
    ['1685-01-01T00:00:00Z', '1685-01-01T00:00:00Z'],
    ['2254-12-31T23:59:59.999999Z', '2254-12-31T23:59:59.999999Z'],
  ])('%s as %s', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });
});

describe('parseInstant refuses', () => {
  test.each<[unknown, InstantFault['code']]>([
    ['2026-02-29T00:00:00Z', 'no_such_time'],
    ['2100-02-29T00:00:00Z', 'no_such_time'],
    ['2026-02-30T00:00:00Z', 'no_such_time'],
    ['2026-04-31T00:00:00Z', 'no_such_time'],
    ['2026-00-10T00:00:00Z', 'no_such_time'],
    ['2026-13-10T00:00:00Z', 'no_such_time'],
    ['2026-01-00T00:00:00Z', 'no_such_time'],
    ['2026-01-01T24:00:00Z', 'no_such_time'],
    ['2026-01-01T00:60:00Z', 'no_such_time'],
    ['2026-01-01T00:00:61Z', 'no_such_time'],
    ['2026-01-01T00:00:00+24:00', 'no_such_time'],
    ['2026-01-01T00:00:00+01:60', 'no_such_time'],
    ['2016-12-31T23:59:60Z', 'leap_second'],
    ['2026-01-01T00:00:00.0000001Z', 'too_precise'],
    ['2026-01-01T00:00:00', 'no_offset'],
    ['2026-01-01T00:00:00.5', 'no_offset'],
    ['1684-12-31T23:59:59.999999Z', 'out_of_range'],
    ['2255-01-01T00:00:00Z', 'out_of_range'],
    ['9999-12-31T23:59:59Z', 'out_of_range'],
    ['0001-01-01T00:00:00Z', 'out_of_range'],
    ['2026-01-01T00:00:00.Z', 'not_an_instant'],
    ['2026-01-01T00:00:00Z ', 'not_an_instant'],
    ['2026-01-01T00:00:00+0200', 'not_an_instant'],
    ['2026-01-01T00:00:00+0a:00', 'not_an_instant'],
    ['2026-01-01T00:00:00±02:00', 'not_an_instant'],
    ['2026-01-01 00:00:00Z', 'not_an_instant'],
    ['2026-01-01T0:00:00Z', 'not_an_instant'],
    ['2026-01-01', 'not_an_instant'],
    ['20x6-01-01T00:00:00Z', 'not_an_instant'],
    ['-026-01-01T00:00:00Z', 'not_an_instant'],
    [`2026-01-01T00:00:00.${'0'.repeat(100)}Z`, 'not_an_instant'],
    ['', 'not_an_instant'],
    [1_700_000_000, 'not_an_instant'],
    [null, 'not_an_instant'],
  ])('%p as %s', (text, code) => {
    expect(outcome(text)).toBe(code);
  });
});

test('an instant is a safe integer', () => {
  expect(() => instant(0.5)).toThrow(InvariantViolation);
  expect(() => instant(NaN)).toThrow(InvariantViolation);
  expect(() => instant(2 ** 53)).toThrow(InvariantViolation);
  expect(Object.is(instant(-0), 0)).toBe(true);
});

test('the ends of the exact range have a text', () => {
  expect(formatInstant(instant(Number.MAX_SAFE_INTEGER))).toBe('2255-06-05T23:47:34.740991Z');
  expect(formatInstant(instant(Number.MIN_SAFE_INTEGER))).toBe('1684-07-28T00:12:25.259009Z');
});

test('milliseconds round down', () => {
  expect([1999, -1, -1000, 0].map((micros) => toMillis(instant(micros)))).toEqual([1, -1, -1, 0]);
  expect(fromMillis(-3)).toBe(-3000);
});

test('least, most and earliest', () => {
  const [a, b] = [instant(1), instant(2)];
  expect([minInstant(b, a), maxInstant(a, b), minInstant(a)]).toEqual([a, b, a]);
  expect([earliest(), earliest(null, undefined), earliest(null, b, a)]).toEqual([null, null, a]);
  expect(addMicros(a, -MICROS.day)).toBe(1 - 86_400_000_000);
});
