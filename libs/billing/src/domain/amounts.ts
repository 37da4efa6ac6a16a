import { divideHalfEven, invariant, parseAmount } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';

/** An amount that a contract has already checked; a text that is none is a bug. */
export function knownAmount(text: string): Nano {
  const parsed = parseAmount(text);
  invariant(parsed.ok, `Stored as an amount, but is none: ${text}`);
  return parsed.value;
}

/**
 * The share of `amount` for [from, end) of the period [start, end): elapsed seconds over the period's seconds, exact to
 * the microsecond, half-even to 10⁻⁹ (semantics §4 "Remaining time").
 */
export function prorate(amount: Nano, period: { start: Instant; end: Instant }, from: Instant): Nano {
  invariant(period.start < period.end, 'A period has a length');
  if (from <= period.start) return amount;
  if (from >= period.end) return 0n;
  return divideHalfEven(amount * BigInt(period.end - from), BigInt(period.end - period.start));
}
