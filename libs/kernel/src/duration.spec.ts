import * as fc from 'fast-check';
import { exactMicros, formatDuration, parseDuration } from './duration';
import { MICROS } from './instant';
import { InvariantViolation } from './invariant';

const { second, minute, hour, day } = MICROS;

describe('parseDuration reads', () => {
  test.each([
    ['90s', 0, 0, 90 * second, '1m30s'],
    ['5m', 0, 0, 5 * minute, '5m'],
    ['2h', 0, 0, 2 * hour, '2h'],
    ['24h', 0, 0, 24 * hour, '24h'],
    ['3d', 0, 3, 0, '3d'],
    ['2w', 0, 14, 0, '14d'],
    ['1mo', 1, 0, 0, '1mo'],
    ['1y', 12, 0, 0, '1y'],
    ['14mo', 14, 0, 0, '1y2mo'],
    ['1d2h', 0, 1, 2 * hour, '1d2h'],
    ['2h1d', 0, 1, 2 * hour, '1d2h'],
    ['1mo1m', 1, 0, minute, '1mo1m'],
    ['1y1mo1w1d1h1m1s', 13, 8, hour + minute + second, '1y1mo8d1h1m1s'],
    ['0s', 0, 0, 0, '0s'],
    ['0mo', 0, 0, 0, '0s'],
  ])('%s as %p months, %p days, %p µs: %s', (text, months, days, micros, canonical) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: { months, days, micros } });
    expect(formatDuration({ months, days, micros })).toBe(canonical);
  });
});

test.each([
  ['', 'not_a_duration'],
  ['5', 'not_a_duration'],
  ['d', 'not_a_duration'],
  ['1.5h', 'not_a_duration'],
  ['-1d', 'not_a_duration'],
  ['1d 2h', 'not_a_duration'],
  ['1M', 'not_a_duration'],
  ['1o', 'not_a_duration'],
  ['10ms', 'not_a_duration'],
  ['P1D', 'not_a_duration'],
  ['1d\n', 'not_a_duration'],
  ['1s'.repeat(50), 'not_a_duration'],
  ['281y', 'out_of_range'],
  ['999999999999s', 'out_of_range'],
  ['999999d', 'out_of_range'],
  [60, 'not_a_duration'],
  [null, 'not_a_duration'],
])('parseDuration refuses %p as %s', (text, code) => {
  const parsed = parseDuration(text);
  expect(!parsed.ok && parsed.error.code).toBe(code);
});

test('a part of a second is shown', () => {
  expect(formatDuration({ months: 0, days: 0, micros: 1_500_000 })).toBe('1.5s');
});

test('days are exact as 24 h, months never', () => {
  expect(exactMicros({ months: 0, days: 2, micros: 5 })).toBe(2 * day + 5);
  expect(() => exactMicros({ months: 1, days: 0, micros: 0 })).toThrow(InvariantViolation);
});

test('a duration survives its text', () => {
  const part = fc.record({
    months: fc.nat(3360),
    days: fc.nat(102_200),
    micros: fc.nat(2_000_000_000).map((seconds) => seconds * second),
  });
  fc.assert(
    fc.property(part, (duration) => {
      expect(parseDuration(formatDuration(duration))).toEqual({ ok: true, value: duration });
    }),
  );
});
