import { addMicros, formatInstant, instant, MICROS, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { readDecline } from './decline';
import { DEFAULT_POLICY } from './policy';
import type { Policy } from './policy';
import { nextPayday, nextRetry, snapForward } from './schedule';
import type { Cardholder } from './schedule';

const at = (text: string): Instant => {
  const parsed = parseInstant(text);
  return parsed.ok ? parsed.value : instant(NaN);
};
const START = at('2026-03-01T00:00:00Z');
const EXACT: Policy = { ...DEFAULT_POLICY, snap: false };
const CREDIT: Cardholder = { funding: 'credit', zone: 'UTC' };

/** Every retry of an invoice whose tries are all declined alike. */
function diary(
  codes: readonly string[],
  policy = EXACT,
  holder = CREDIT,
  advice: string | null = null,
): string[] {
  const dates: string[] = [];
  let tried = START;
  for (let stepsUsed = 1; stepsUsed < 40; stepsUsed += 1) {
    const decline = readDecline(codes[stepsUsed - 1] ?? codes.at(-1) ?? 'do_not_honor', advice);
    const next = nextRetry(
      decline,
      tried,
      { firstFailedAt: START, stepsUsed, interval: 'month' },
      policy,
      holder,
    );
    if (next === null) return dates;
    dates.push(formatInstant(next));
    tried = next;
  }
  return dates;
}

const march = (...days: readonly string[]) => days.map((day) => `2026-03-${day}:00Z`);

test.each([
  ['insufficient_funds', march('03T00:00', '06T00:00', '10T00:00', '14T00:00')],
  ['do_not_honor', march('04T00:00', '08T00:00', '12T00:00')],
  ['a code nobody knows', march('04T00:00', '08T00:00', '12T00:00')],
  ['processing_error', march('01T01:00', '01T04:00', '02T00:00', '04T00:00')],
  ['stolen_card', []],
  ['expired_card', []],
  ['authentication_required', []],
])('%s is tried again at %p', (code, expected) => {
  expect(diary([code])).toEqual(expected);
});

test('each decline continues on its own class, past steps skipped', () => {
  expect(diary(['insufficient_funds', 'do_not_honor', 'insufficient_funds'])).toEqual(
    march('03T00:00', '04T00:00', '06T00:00', '10T00:00', '14T00:00'),
  );
});

test('advice beats the class and is exact', () => {
  expect(diary(['insufficient_funds'], DEFAULT_POLICY, CREDIT, '28')).toEqual(march('07T00:00', '13T00:00'));
  expect(diary(['insufficient_funds'], EXACT, CREDIT, '21')).toEqual([]);
  expect(diary(['do_not_honor'], EXACT, CREDIT, '02')).toEqual(
    march('03T00:00', '06T00:00', '10T00:00', '14T00:00'),
  );
  expect(diary(['processing_error'], EXACT, CREDIT, '01')).toEqual([]);
});

test('gaps count from the try before', () => {
  const policy: Policy = {
    ...EXACT,
    schedules: { generic: { kind: 'gaps', gaps: [MICROS.day, 8 * MICROS.day, 8 * MICROS.day] } },
  };
  expect(diary(['do_not_honor'], policy)).toEqual(march('02T00:00', '10T00:00'));
});

test('an empty schedule is none, a wider window goes on', () => {
  const steps = [10, 20, 30].map((day) => day * MICROS.day);
  const policy: Policy = {
    ...EXACT,
    schedules: { generic: { kind: 'steps', steps }, funds: { kind: 'steps', steps: [] } },
  };
  expect(diary(['insufficient_funds'], policy)).toEqual([]);
  expect(diary(['do_not_honor'], policy)).toEqual(march('11T00:00'));
  expect(diary(['do_not_honor'], { ...policy, maxWindow: 30 * MICROS.day })).toEqual(
    march('11T00:00', '21T00:00', '31T00:00'),
  );
});

test.each([
  ['2026-03-01T00:00:00Z', 'UTC', '2026-03-15T00:00:00Z'],
  ['2026-03-13T00:00:00Z', 'UTC', '2026-03-15T00:00:00Z'],
  ['2026-03-13T00:00:01Z', 'UTC', '2026-04-01T00:00:00Z'],
  ['2026-12-20T00:00:00Z', 'Europe/Berlin', '2026-12-31T23:00:00Z'],
  ['2026-02-28T00:00:00Z', 'America/New_York', '2026-03-15T04:00:00Z'],
])('after %s in %s the next payday is %s', (after, zone, expected) => {
  expect(formatInstant(nextPayday(at(after), zone))).toBe(expected);
});

test.each([
  ['a Tuesday night', '2026-03-03T00:00:00Z', 'UTC', '2026-03-03T09:00:00Z'],
  ['inside the hours', '2026-03-03T10:59:59Z', 'UTC', '2026-03-03T10:59:59Z'],
  ['at their end', '2026-03-03T11:00:00Z', 'UTC', '2026-03-04T09:00:00Z'],
  ['Thursday noon, too far from Tuesday', '2026-03-05T12:00:00Z', 'UTC', '2026-03-05T12:00:00Z'],
  ['Monday 09:00, exactly a day away', '2026-03-02T09:00:00Z', 'UTC', '2026-03-02T09:00:00Z'],
  ['Monday after 09:00', '2026-03-02T09:00:01Z', 'UTC', '2026-03-03T09:00:00Z'],
  ['in New York', '2026-03-03T03:00:00Z', 'America/New_York', '2026-03-03T14:00:00Z'],
])('snaps from %s', (_, from, zone, expected) => {
  expect(formatInstant(snapForward(at(from), zone))).toBe(expected);
});

test('annual plans are tried for 30 days', () => {
  const policy: Policy = { ...EXACT, schedules: { generic: { kind: 'steps', steps: [20 * MICROS.day] } } };
  const retry = (interval: 'month' | 'year') =>
    nextRetry(
      readDecline('do_not_honor', null),
      START,
      { firstFailedAt: START, stepsUsed: 1, interval },
      policy,
      CREDIT,
    );
  expect([retry('month'), retry('year')]).toEqual([null, addMicros(START, 20 * MICROS.day)]);
});
