import { DAY_SECONDS, dayNumber, floorDiv } from './civil';
import { invariant } from './invariant';

/** One UTC day of a zone: `before` until `changeAt`, `after` from it on. Seconds east of UTC; Unix seconds. */
interface DayOffsets {
  readonly before: number;
  readonly changeAt: number;
  readonly after: number;
}

const MOST_ZONES = 1024;
const MOST_DAYS = 8192;
const NUMBERS = /\d+/g;

/**
 * Offsets of one IANA zone, remembered per UTC day: asking Intl costs microseconds, and no zone has ever
 * changed its offset twice in one UTC day.
 */
export class ZoneOffsets {
  private readonly days = new Map<number, DayOffsets>();

  constructor(private readonly format: Intl.DateTimeFormat) {}

  /** Seconds east of UTC at a Unix second. */
  at(second: number): number {
    const day = this.day(Math.floor(second / DAY_SECONDS));
    return second < day.changeAt ? day.before : day.after;
  }

  /** The last change of offset in (from, to], as a Unix second; null when there is none. */
  lastChange(from: number, to: number): number | null {
    for (let day = floorDiv(to, DAY_SECONDS); day * DAY_SECONDS + DAY_SECONDS > from; day -= 1) {
      const { before, changeAt, after } = this.day(day);
      if (before !== after && changeAt > from && changeAt <= to) return changeAt;
    }
    return null;
  }

  private day(day: number): DayOffsets {
    const known = this.days.get(day);
    if (known !== undefined) return known;
    if (this.days.size >= MOST_DAYS) this.days.clear();
    const learned = this.learn(day * DAY_SECONDS);
    this.days.set(day, learned);
    return learned;
  }

  private learn(start: number): DayOffsets {
    let low = start - 1;
    let high = start + DAY_SECONDS - 1;
    const before = this.read(low);
    const after = this.read(high);
    while (before !== after && high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.read(middle) === before) low = middle;
      else high = middle;
    }
    return { before, changeAt: high, after };
  }

  private read(second: number): number {
    const shown = this.format.format(second * 1000).match(NUMBERS) ?? [];
    invariant(shown.length === 6, 'Intl prints a full date and time');
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, ofMinute = 0] = shown.map(Number);
    return dayNumber(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + ofMinute - second;
  }
}

const zones = new Map<string, ZoneOffsets>();

/** The offsets of a zone; null when the name is not an IANA zone. */
export function findZone(zone: string): ZoneOffsets | null {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  const format = openFormat(zone);
  if (format === null) return null;
  // Names are matched without regard to case, so their spellings are not bounded; the cache is.
  if (zones.size >= MOST_ZONES) zones.clear();
  const opened = new ZoneOffsets(format);
  zones.set(zone, opened);
  return opened;
}

function openFormat(timeZone: string): Intl.DateTimeFormat | null {
  // Newer engines take "+02:00" as a zone; an offset has no calendar rules and is not an IANA name.
  if (!/^[A-Za-z]/.test(timeZone)) return null;
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return null;
  }
}
