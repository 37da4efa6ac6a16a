import { MICROS, addMicros } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import fc from 'fast-check';
import { RateLimiter, rateOf } from './rate-limiter';
import type { Rate, RateUnit } from './rate-limiter';

const START = 1_770_000_000_000_000 as Instant;
const units = fc.constantFrom<RateUnit>('second', 'minute', 'hour', 'day', 'week', 'month');
const rates = fc.record({ limit: fc.integer({ min: 1, max: 300 }), per: units }).map(rateOf);

function passesAt(limiter: RateLimiter, rate: Rate, now: Instant, most = rate.limit + 2): number {
  let passed = 0;
  while (passed < most && limiter.blockedUntil('k', rate, now) === null) {
    limiter.take('k', rate, now);
    passed += 1;
  }
  return passed;
}

describe('a rate limit', () => {
  it('lets exactly the limit pass at one instant, and all again after the time', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const limiter = new RateLimiter();
        expect(passesAt(limiter, rate, START)).toBe(rate.limit);
        expect(passesAt(limiter, rate, addMicros(START, rate.perMicros))).toBe(rate.limit);
      }),
    );
  });

  it('has them all back after the time, and not a microsecond earlier', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const early = new RateLimiter();
        passesAt(early, rate, START);
        expect(passesAt(early, rate, addMicros(START, rate.perMicros - 1))).toBe(rate.limit - 1);
      }),
    );
  });

  it('says the very first instant at which one passes', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 10 * MICROS.day }), (rate, wait) => {
        const limiter = new RateLimiter();
        passesAt(limiter, rate, START);
        const now = addMicros(START, wait % rate.perMicros);
        passesAt(limiter, rate, now);
        const until = limiter.blockedUntil('k', rate, now) ?? now;
        expect(limiter.blockedUntil('k', rate, addMicros(until, -1))).not.toBeNull();
        expect(limiter.blockedUntil('k', rate, until)).toBeNull();
      }),
    );
  });

  it('never lets more pass in any span than the limit and what came back in it', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 5 * MICROS.second }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), steps, (limit, waits) => {
        const rate = rateOf({ limit, per: 'second' });
        const limiter = new RateLimiter();
        let now = START;
        let passed = 0;
        for (const wait of waits) {
          now = addMicros(now, wait);
          passed += passesAt(limiter, rate, now);
          expect(passed).toBeLessThanOrEqual(limit + Math.floor(((now - START) * limit) / MICROS.second));
        }
      }),
    );
  });

  it('takes nothing by looking', () => {
    const limiter = new RateLimiter();
    const rate = rateOf({ limit: 1, per: 'minute' });
    for (let look = 0; look < 5; look += 1) expect(limiter.blockedUntil('k', rate, START)).toBeNull();
  });

  it('keeps what was used when the catalog changes the time', () => {
    const limiter = new RateLimiter();
    passesAt(limiter, rateOf({ limit: 10, per: 'minute' }), START);
    expect(passesAt(limiter, rateOf({ limit: 10, per: 'hour' }), START)).toBe(0);
    expect(passesAt(limiter, rateOf({ limit: 12, per: 'second' }), START)).toBe(2);
  });

  it('gives nothing back to a clock that steps backwards', () => {
    const limiter = new RateLimiter();
    const rate = rateOf({ limit: 2, per: 'minute' });
    passesAt(limiter, rate, START);
    expect(passesAt(limiter, rate, addMicros(START, -MICROS.hour))).toBe(0);
    expect(passesAt(limiter, rate, addMicros(START, MICROS.minute))).toBe(2);
  });

  it('lets nothing pass at a limit of none', () => {
    const rate = rateOf({ limit: 0, per: 'minute' });
    expect(new RateLimiter().blockedUntil('k', rate, START)).toBe(addMicros(START, MICROS.minute));
  });

  it('forgets keys that have drained', () => {
    const limiter = new RateLimiter();
    const rate = rateOf({ limit: 1, per: 'second' });
    for (let key = 0; key < 10_000; key += 1) {
      limiter.take(`k${key}`, rate, addMicros(START, key * 10 * MICROS.second));
    }
    expect(limiter.size).toBeLessThan(2_000);
  });
});
