import { addMicros, formatInstant, parseInstant } from './instant';
import type { Instant } from './instant';
import { InvariantViolation } from './invariant';
import { periodAt, periodContaining, recurrenceAt } from './periods';
import type { Interval } from './periods';

const at = (text: string): Instant => {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
};

const starts = (anchor: string, interval: Interval, count: number, zone: string): string[] =>
  Array.from({ length: count }, (_, index) =>
    formatInstant(periodAt(at(anchor), interval, index, zone).start),
  );

describe('periodAt', () => {
  test('the 31st does not drift', () => {
    expect(starts('2027-12-31T09:00:00Z', 'month', 5, 'UTC')).toEqual([
      '2027-12-31T09:00:00Z',
      '2028-01-31T09:00:00Z',
      '2028-02-29T09:00:00Z',
      '2028-03-31T09:00:00Z',
      '2028-04-30T09:00:00Z',
    ]);
  });

  test('29 February returns in the next leap year', () => {
    expect(starts('2028-02-29T00:00:00Z', 'year', 5, 'UTC').map((text) => text.slice(0, 10))).toEqual([
      '2028-02-29',
      '2029-02-28',
      '2030-02-28',
      '2031-02-28',
      '2032-02-29',
    ]);
  });

  test('the local time of day stays through both changes', () => {
    expect(starts('2026-02-28T23:00:00Z', 'month', 3, 'Europe/Berlin')).toEqual([
      '2026-02-28T23:00:00Z',
      '2026-03-31T22:00:00Z',
      '2026-04-30T22:00:00Z',
    ]);
    expect(starts('2026-10-24T00:30:00Z', 'day', 3, 'Europe/Berlin')).toEqual([
      '2026-10-24T00:30:00Z',
      '2026-10-25T00:30:00Z',
      '2026-10-26T01:30:00Z',
    ]);
  });

  test('a start in a gap moves forward, the next one returns', () => {
    expect(starts('2026-03-28T01:30:00Z', 'day', 3, 'Europe/Berlin')).toEqual([
      '2026-03-28T01:30:00Z',
      '2026-03-29T01:30:00Z',
      '2026-03-30T00:30:00Z',
    ]);
  });

  test('an anchor in the second pass of an hour is its own start', () => {
    expect(starts('2026-10-25T01:30:00Z', 'week', 2, 'Europe/Berlin')).toEqual([
      '2026-10-25T01:30:00Z',
      '2026-11-01T01:30:00Z',
    ]);
  });

  test('a date that was left out is an empty period', () => {
    const [, empty, next] = [0, 1, 2].map((index) =>
      periodAt(at('2011-12-29T22:00:00Z'), 'day', index, 'Pacific/Apia'),
    );
    expect(empty?.start).toBe(empty?.end);
    expect(next?.start).toBe(empty?.end);
  });

  test('periods count in whole numbers', () => {
    expect(() => periodAt(at('2026-01-01T00:00:00Z'), 'day', 0.5, 'UTC')).toThrow(InvariantViolation);
  });
});

describe('periodContaining', () => {
  test.each<[Interval, string, string, number]>([
    ['month', '2026-01-31T09:00:00Z', '2026-01-31T09:00:00Z', 0],
    ['month', '2026-01-31T09:00:00Z', '2026-01-31T08:59:59.999999Z', -1],
    ['month', '2026-01-31T09:00:00Z', '2026-02-28T08:59:59.999999Z', 0],
    ['month', '2026-01-31T09:00:00Z', '2026-02-28T09:00:00Z', 1],
    ['month', '2026-01-31T09:00:00Z', '2026-03-31T06:59:59.999999Z', 1],
    ['month', '2026-01-31T09:00:00Z', '2026-03-31T08:00:00Z', 2],
    ['week', '2026-01-01T00:00:00Z', '2026-01-07T23:59:59.999999Z', 0],
    ['week', '2026-01-01T00:00:00Z', '2026-01-08T00:00:00Z', 1],
    ['year', '2028-02-29T12:00:00Z', '2029-02-28T12:00:00Z', 1],
    ['year', '2028-02-29T12:00:00Z', '2028-02-29T11:59:59.999999Z', -1],
  ])('%s from %s holds %s in period %p', (interval, anchor, text, index) => {
    expect(periodContaining(at(anchor), interval, at(text), 'Europe/Berlin').index).toBe(index);
  });

  test('an empty period holds nothing', () => {
    const anchor = at('2011-12-29T22:00:00Z');
    const next = periodAt(anchor, 'day', 2, 'Pacific/Apia');
    expect(periodContaining(anchor, 'day', next.start, 'Pacific/Apia')).toEqual(next);
    expect(periodContaining(anchor, 'day', addMicros(next.start, -1), 'Pacific/Apia').index).toBe(0);
  });
});

test('a recurrence is computed from its anchor', () => {
  const anchor = at('2026-01-31T08:00:00Z');
  const every = { months: 1, days: 0, micros: 1 };
  expect([0, 1, 2].map((k) => formatInstant(recurrenceAt(anchor, every, k, 'Europe/Berlin')))).toEqual([
    '2026-01-31T08:00:00Z',
    '2026-02-28T08:00:00.000001Z',
    '2026-03-31T07:00:00.000002Z',
  ]);
});
