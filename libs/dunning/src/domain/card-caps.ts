import { MICROS } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';

/** A decline that counts against a card's cap. */
export interface PastDecline {
  readonly at: Instant;
  readonly amount: Nano;
}

interface Cap {
  readonly most: number;
  readonly micros: number;
}

const CAPS: Readonly<Record<string, readonly Cap[]>> = {
  visa: [{ most: 20, micros: 30 * MICROS.day }],
  mastercard: [
    { most: 10, micros: MICROS.day },
    { most: 35, micros: 30 * MICROS.day },
  ],
};

/** How far back declines can matter. */
export const CAP_HORIZON = 30 * MICROS.day;

/**
 * Whether a network's cap per card and amount forbids a try now. A decline exactly as old as the cap's length no longer
 * counts.
 */
export function capReached(
  brand: string,
  amount: Nano,
  declines: readonly PastDecline[],
  now: Instant,
): boolean {
  const same = declines.filter((decline) => decline.amount === amount);
  return (CAPS[brand.toLowerCase()] ?? []).some(
    ({ most, micros }) => same.filter((decline) => now - decline.at < micros).length >= most,
  );
}
