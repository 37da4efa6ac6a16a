import { formatInstant, instant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

const TEXT = /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\+00$/;

/**
 * timestamptz text, as a session with TimeZone=UTC and DateStyle=ISO writes it, to the exact microsecond. A JavaScript
 * Date would drop the last three digits, and two events of one millisecond would change places.
 */
export function instantFromPg(text: string): Instant {
  const parts = TEXT.exec(text);
  if (parts === null) throw new Error(`Not a UTC timestamptz: ${JSON.stringify(text)}`);
  const [, year, month, day, hour, minute, second, fraction = ''] = parts;
  const ms = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  return instant(ms * 1000 + Number(fraction.padEnd(6, '0')));
}

export function instantOrNullFromPg(text: string | null): Instant | null {
  return text === null ? null : instantFromPg(text);
}

/** The parameter form of an instant, for `$n::timestamptz`. */
export function pgInstant(value: Instant): string {
  return formatInstant(value);
}

export function pgInstantOrNull(value: Instant | null): string | null {
  return value === null ? null : formatInstant(value);
}
