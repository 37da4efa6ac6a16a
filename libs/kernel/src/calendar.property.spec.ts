import * as fc from 'fast-check';
import { addCalendar, fromLocal, toLocal, weekday } from './calendar';
import type { LocalDateTime } from './calendar';
import { civilDate, dayNumber, daysInMonth } from './civil';
import { addMicros, instant, MICROS } from './instant';
import type { Instant } from './instant';
import { periodAt, periodContaining, recurrenceAt } from './periods';
import type { Interval } from './periods';
import { startOf, windowsBetween } from './windows';
import type { CalendarUnit } from './windows';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/Dublin',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Toronto',
  'America/Nuuk',
  'Africa/Casablanca',
  'Asia/Kathmandu',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Pacific/Kwajalein',
] as const;

/** Zones that once moved across the date line and skipped a whole date. */
const leftOutDates: readonly string[] = ['Pacific/Apia', 'Pacific/Kwajalein'];

/** Instants within a day of a change are rare by chance; these are drawn often. */
const CHANGES = [
  '2026-03-29T01:00:00Z',
  '2026-10-25T01:00:00Z',
  '2026-03-08T07:00:00Z',
  '2026-11-01T06:00:00Z',
  '2026-04-04T15:00:00Z',
  '2026-10-03T15:30:00Z',
  '2018-11-04T03:00:00Z',
  '2018-02-18T02:00:00Z',
  '2011-12-30T10:00:00Z',
  '2010-11-07T02:31:00Z',
  '1919-03-31T04:30:00Z',
  '2028-02-29T00:00:00Z',
].map((text) => Date.parse(text) * 1000);

const zone = fc.constantFrom(...ZONES);
const near = fc
  .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -2 * MICROS.day, max: 2 * MICROS.day }))
  .map(([change, by]) => instant(change + by));
const atBound = fc
  .tuple(
    fc.constantFrom(...CHANGES),
    fc.integer({ min: -2, max: 2 }),
    fc.constantFrom(1, 1000, MICROS.second),
  )
  .map(([change, by, unit]) => instant(change + by * unit));
const anywhere = fc
  .integer({ min: Date.UTC(1900, 0, 1) * 1000, max: Date.UTC(2100, 0, 1) * 1000 })
  .map(instant);
const someInstant = fc.oneof(near, atBound, anywhere);
const unit = fc.constantFrom<CalendarUnit>('minute', 'hour', 'day', 'week', 'month', 'year');
const interval = fc.constantFrom<Interval>('day', 'week', 'month', 'year');
const runs = { numRuns: 1000 };

const wall = fc
  .tuple(fc.oneof(near, anywhere), fc.integer({ min: -16, max: 16 }))
  .map(([i, hours]) => toLocal(addMicros(i, hours * MICROS.hour), 'UTC'));

const asMicros = (l: LocalDateTime): number =>
  Date.UTC(l.year, l.month - 1, l.day, l.hour, l.minute, l.second) * 1000 + l.micros;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Straight from Intl, without cache or search. */
const offsetByIntl = (i: Instant, name: string): number => {
  const format =
    formats.get(name) ??
    new Intl.DateTimeFormat('en-GB', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' });
  formats.set(name, format);
  const second = Math.floor(i / MICROS.second);
  const parts = Object.fromEntries(
    format.formatToParts(second * 1000).map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second: s = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, s) * 1000 - second * MICROS.second;
};

test('the local clock is the one that Intl shows', () => {
  fc.assert(
    fc.property(someInstant, zone, (i, name) => {
      expect(asMicros(toLocal(i, name)) - i).toBe(offsetByIntl(i, name));
    }),
    runs,
  );
});

test('the same in every zone the machine knows', () => {
  fc.assert(
    fc.property(anywhere, fc.constantFrom(...Intl.supportedValuesOf('timeZone')), (i, name) => {
      expect(asMicros(toLocal(i, name)) - i).toBe(offsetByIntl(i, name));
    }),
    runs,
  );
});

test('a local time that was read resolves to the first instant that shows it', () => {
  fc.assert(
    fc.property(someInstant, zone, (i, name) => {
      const shown = toLocal(i, name);
      const first = fromLocal(shown, name);
      expect(toLocal(first, name)).toEqual(shown);
      expect(first).toBeLessThanOrEqual(i);
    }),
    runs,
  );
});

test('any local time resolves to itself, or is skipped and moves forward by the gap', () => {
  fc.assert(
    fc.property(wall, zone, (local, name) => {
      const i = fromLocal(local, name);
      const moved = asMicros(toLocal(i, name)) - asMicros(local);
      const gap = offsetByIntl(i, name) - offsetByIntl(addMicros(i, -Math.max(moved, 1)), name);
      expect(moved === 0 || (moved > 0 && moved === gap)).toBe(true);
    }),
    runs,
  );
});

test('weekdays follow each other', () => {
  fc.assert(
    fc.property(anywhere, zone, (i, name) => {
      const { year, month, day } = toLocal(i, name);
      expect(weekday(i, name) % 7).toBe(new Date(Date.UTC(year, month - 1, day)).getUTCDay());
    }),
    runs,
  );
});

test('added months and days keep the time of day, up to a gap, and clamp to the month', () => {
  const steps = fc.record({
    months: fc.integer({ min: -40, max: 40 }),
    days: fc.integer({ min: -40, max: 40 }),
  });
  fc.assert(
    fc.property(someInstant, steps, zone, (i, { months, days }, name) => {
      fc.pre(months !== 0 || days !== 0);
      const from = toLocal(i, name);
      const total = from.year * 12 + from.month - 1 + months;
      const [year, month] = [Math.floor(total / 12), (((total % 12) + 12) % 12) + 1];
      const clamped = dayNumber(year, month, Math.min(from.day, daysInMonth(year, month)));
      const expected = fromLocal({ ...from, ...civilDate(clamped + days) }, name);
      expect(addCalendar(i, { months, days, micros: 0 }, name)).toBe(expected);
    }),
    runs,
  );
});

test('exact microseconds come last and are exact', () => {
  fc.assert(
    fc.property(someInstant, fc.nat(40), fc.nat(), zone, (i, days, micros, name) => {
      const moved = addCalendar(i, { months: 0, days, micros: 0 }, name);
      expect(addCalendar(i, { months: 0, days, micros }, name)).toBe(moved + micros);
    }),
    runs,
  );
});

test('consecutive periods tile time', () => {
  fc.assert(
    fc.property(
      someInstant,
      interval,
      fc.integer({ min: -60, max: 60 }),
      zone,
      (anchor, every, index, name) => {
        const period = periodAt(anchor, every, index, name);
        expect(periodAt(anchor, every, index + 1, name).start).toBe(period.end);
        expect(period.end).toBeGreaterThanOrEqual(period.start);
        expect(period.end > period.start || (every === 'day' && leftOutDates.includes(name))).toBe(true);
      },
    ),
    runs,
  );
});

test('each instant is in exactly one period, whose bounds are closed and open', () => {
  fc.assert(
    fc.property(someInstant, interval, someInstant, zone, (anchor, every, i, name) => {
      const period = periodContaining(anchor, every, i, name);
      expect(period.start <= i && i < period.end).toBe(true);
      expect(periodAt(anchor, every, period.index, name)).toEqual(period);
      expect(periodContaining(anchor, every, period.start, name)).toEqual(period);
      expect(periodContaining(anchor, every, addMicros(period.end, -1), name)).toEqual(period);
      expect(periodContaining(anchor, every, period.end, name).start).toBe(period.end);
    }),
    runs,
  );
});

test('the period of an anchor is number 0 and starts at it', () => {
  fc.assert(
    fc.property(someInstant, interval, zone, (anchor, every, name) => {
      expect(periodAt(anchor, every, 0, name).start).toBe(anchor);
    }),
    runs,
  );
});

test('a monthly period starts on the anchor’s day or the last of its month', () => {
  fc.assert(
    fc.property(someInstant, fc.integer({ min: 1, max: 60 }), zone, (anchor, index, name) => {
      const from = toLocal(anchor, name);
      const month = ((from.month - 1 + index) % 12) + 1;
      const year = from.year + Math.floor((from.month - 1 + index) / 12);
      const day = Math.min(from.day, daysInMonth(year, month));
      expect(periodAt(anchor, 'month', index, name).start).toBe(
        fromLocal({ ...from, year, month, day }, name),
      );
    }),
    runs,
  );
});

test('recurrences of days and months never go back', () => {
  const every = fc.record({ months: fc.nat(3), days: fc.nat(10), micros: fc.nat(MICROS.second) });
  fc.assert(
    fc.property(someInstant, every, fc.nat(50), zone, (anchor, step, k, name) => {
      expect(recurrenceAt(anchor, step, k + 1, name)).toBeGreaterThanOrEqual(
        recurrenceAt(anchor, step, k, name),
      );
    }),
    runs,
  );
});

test('a window starts at or before its instants, at its own start, and never earlier for a later instant', () => {
  fc.assert(
    fc.property(unit, someInstant, fc.nat(3 * MICROS.hour), zone, (of, i, later, name) => {
      const start = startOf(of, i, name);
      expect(start).toBeLessThanOrEqual(i);
      expect(startOf(of, start, name)).toBe(start);
      expect(startOf(of, addMicros(i, later), name)).toBeGreaterThanOrEqual(start);
    }),
    runs,
  );
});

test('windows tile the range and agree with startOf', () => {
  const lengths: Record<CalendarUnit, number> = {
    minute: MICROS.hour,
    hour: 2 * MICROS.day,
    day: 10 * MICROS.day,
    week: 60 * MICROS.day,
    month: 400 * MICROS.day,
    year: 2000 * MICROS.day,
  };
  fc.assert(
    fc.property(
      unit,
      someInstant,
      fc.double({ min: 0, max: 1, noNaN: true }),
      zone,
      (of, from, share, name) => {
        const to = addMicros(from, 1 + Math.floor(share * lengths[of]));
        const windows = windowsBetween(of, from, to, name);
        expect(windows[0]?.start).toBe(startOf(of, from, name));
        expect(windows.at(-1)?.start).toBe(startOf(of, addMicros(to, -1), name));
        const faults = windows.filter(({ index, start, end }, n) => {
          const tiles = n === windows.length - 1 ? end >= to : windows[n + 1]?.start === end;
          const whole = startOf(of, start, name) === start && startOf(of, addMicros(end, -1), name) === start;
          return !tiles || !whole || index !== n || end <= start;
        });
        expect(faults).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});
