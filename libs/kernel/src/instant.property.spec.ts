import * as fc from 'fast-check';
import { civilDate, dayNumber, daysInMonth } from './civil';
import { formatInstant, fromMillis, instant, parseInstant, toMillis } from './instant';

const FIRST = Date.UTC(1685, 0, 1) * 1000;
const END = Date.UTC(2255, 0, 1) * 1000;
const anyInstant = fc.integer({ min: FIRST, max: END - 1 }).map(instant);
const runs = { numRuns: 2000 };

test('an instant survives its text', () => {
  fc.assert(
    fc.property(anyInstant, (i) => {
      expect(parseInstant(formatInstant(i))).toEqual({ ok: true, value: i });
    }),
    runs,
  );
});

test('whole milliseconds read and print as the platform does', () => {
  fc.assert(
    fc.property(fc.integer({ min: FIRST / 1000, max: END / 1000 - 1 }), (ms) => {
      const platform = new Date(ms).toISOString();
      expect(formatInstant(fromMillis(ms))).toBe(platform.replace('.000Z', 'Z'));
      expect(parseInstant(platform)).toEqual({ ok: true, value: ms * 1000 });
      expect(toMillis(fromMillis(ms))).toBe(ms);
    }),
    runs,
  );
});

test('texts sort as instants within one precision', () => {
  fc.assert(
    fc.property(anyInstant, anyInstant, (a, b) => {
      const fixed = [a, b].map((i) => formatInstant(i).replace('Z', '').padEnd(20, '.').padEnd(26, '0'));
      expect((fixed[0] ?? '') < (fixed[1] ?? '')).toBe(a < b);
    }),
    runs,
  );
});

test('an offset moves the clock, not the instant', () => {
  const offset = fc.integer({ min: -1439, max: 1439 });
  const inner = fc.integer({ min: FIRST + 86_400_000_000, max: END - 86_400_000_001 }).map(instant);
  fc.assert(
    fc.property(inner, offset, (i, minutes) => {
      const wall = formatInstant(instant(i + minutes * 60_000_000)).slice(0, -1);
      const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
      const suffix = `${minutes < 0 ? '-' : '+'}${`${hours}`.padStart(2, '0')}:${`${rest}`.padStart(2, '0')}`;
      expect(parseInstant(wall + suffix)).toEqual({ ok: true, value: i });
    }),
    runs,
  );
});

test('any value is read or refused, never thrown', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.string()), (value) => {
      expect(typeof parseInstant(value).ok).toBe('boolean');
    }),
    runs,
  );
});

test('every day from 1600 to 2400 has its number and its month', () => {
  const faults: number[] = [];
  const first = Date.UTC(1600, 0, 1) / 86_400_000;
  for (let day = first; day < Date.UTC(2400, 0, 1) / 86_400_000; day += 1) {
    const platform = new Date(day * 86_400_000);
    const { year, month, day: ofMonth } = civilDate(day);
    const same = year === platform.getUTCFullYear() && month === platform.getUTCMonth() + 1;
    const back = dayNumber(year, month, ofMonth) === day && ofMonth <= daysInMonth(year, month);
    if (!same || !back || ofMonth !== platform.getUTCDate()) faults.push(day);
  }
  expect(faults).toEqual([]);
});
