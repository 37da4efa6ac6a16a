import {
  type Instant,
  MICROS,
  addCalendar,
  addMicros,
  fromLocal,
  parseDuration,
  parseInstant,
} from '@tallygate/kernel';

/** A bare date is midnight in the tenant's zone; null when the text is not a date. */
export function dateInZone(text: string, zone: string): Instant | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!parts) return null;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  return fromLocal({ year, month, day, hour: 0, minute: 0, second: 0, micros: 0 }, zone);
}

/** An instant or a date of a scenario; the file was checked, so anything else is a bug. */
export function momentOf(text: string, zone: string): Instant {
  const date = dateInZone(text, zone);
  if (date !== null) return date;
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new TypeError(`"${text}" is neither an instant nor a date`);
  return parsed.value;
}

/** `after:` counts days as 24 h and months on the calendar of the tenant's zone. */
export function momentAfter(now: Instant, text: string, zone: string): Instant {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new TypeError(`"${text}" is not a duration`);
  const { months, days, micros } = parsed.value;
  return addMicros(addCalendar(now, { months, days: 0, micros: 0 }, zone), days * MICROS.day + micros);
}
