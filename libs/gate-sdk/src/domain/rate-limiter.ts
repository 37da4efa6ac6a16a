import { MICROS, addMicros } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

/** So many requests within so many microseconds. */
export interface Rate {
  readonly limit: number;
  readonly perMicros: number;
}

export type RateUnit = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month';

/** A limit's week and month have a fixed length: no calendar is asked while a request waits. */
const UNIT_MICROS: Readonly<Record<RateUnit, number>> = {
  second: MICROS.second,
  minute: MICROS.minute,
  hour: MICROS.hour,
  day: MICROS.day,
  week: 7 * MICROS.day,
  month: 30 * MICROS.day,
};

export function rateOf({ limit, per }: { readonly limit: number; readonly per: RateUnit }): Rate {
  return { limit, perMicros: UNIT_MICROS[per] };
}

/** One request weighs `perMicros`, every microsecond drains `limit`: whole numbers, so nothing is ever rounded. */
interface Level {
  weight: bigint;
  at: Instant;
  rate: Rate;
}

const SWEEP_FROM = 1_024;

/**
 * A leaky bucket for each key, by semantics §7: at one instant exactly `limit` requests pass, and after `per` all of
 * them are back; in between they come back one by one. Looking and taking are apart, so that a request refused for
 * another reason uses up nothing.
 */
export class RateLimiter {
  private readonly levels = new Map<string, Level>();
  private sweepAt = SWEEP_FROM;

  /** Keys that are kept in memory: those that have used something up. */
  get size(): number {
    return this.levels.size;
  }

  /** Null when one more passes now; else the first instant at which one does. */
  blockedUntil(key: string, rate: Rate, now: Instant): Instant | null {
    if (rate.limit < 1) return addMicros(now, rate.perMicros);
    const level = this.levels.get(key);
    if (level === undefined) return null;
    const excess = weightAt(level, rate, now) - BigInt(rate.limit - 1) * BigInt(rate.perMicros);
    if (excess <= 0n) return null;
    const limit = BigInt(rate.limit);
    return addMicros(now, Number((excess + limit - 1n) / limit));
  }

  take(key: string, rate: Rate, now: Instant): void {
    const level = this.levels.get(key);
    const weight = level === undefined ? 0n : weightAt(level, rate, now);
    const at = level !== undefined && level.at > now ? level.at : now;
    this.levels.set(key, { weight: weight + BigInt(rate.perMicros), at, rate });
    if (this.levels.size >= this.sweepAt) this.sweep(now);
  }

  /** Forgets what has drained. The next sweep is due when as many again have come, so that its cost is shared. */
  private sweep(now: Instant): void {
    for (const [key, level] of this.levels) {
      if (weightAt(level, level.rate, now) === 0n) this.levels.delete(key);
    }
    this.sweepAt = Math.max(SWEEP_FROM, this.levels.size * 2);
  }
}

/** A clock corrected backwards drains nothing. When the catalog changed the rate, the requests used stay used. */
function weightAt({ weight, at, rate: before }: Level, rate: Rate, now: Instant): bigint {
  const drained = now > at ? BigInt(now - at) * BigInt(before.limit) : 0n;
  const left = weight > drained ? weight - drained : 0n;
  if (before.perMicros === rate.perMicros) return left;
  return (left * BigInt(rate.perMicros)) / BigInt(before.perMicros);
}
