import { type Instant, MICROS, addMicros } from '@tallygate/kernel';

/** Waits after the first failures of a delivery; then one try every 12 hours. */
const WAITS = [1, 5, 15, 60, 240].map((minutes) => minutes * MICROS.minute);
const LATER = 12 * MICROS.hour;
const TRIES = 12;

/**
 * When a delivery that failed `tries` times is tried again: over more than three days; null when it is given up.
 * @param lasting true never gives up: the warning that a suspension waits for
 */
export function nextTry(tries: number, now: Instant, lasting: boolean): Instant | null {
  if (tries >= TRIES && !lasting) return null;
  return addMicros(now, WAITS[tries - 1] ?? LATER);
}
