import { addMicros, fromMillis } from './instant';
import type { Instant } from './instant';
import { invariant } from './invariant';

/** The only source of the present; everything else takes an instant as an argument. */
export abstract class Clock {
  abstract now(): Instant;
}

/** The machine's clock, in whole milliseconds: finer monotonic clocks drift away from corrected wall time. */
export class SystemClock extends Clock {
  now(): Instant {
    return fromMillis(Date.now());
  }
}

/** A clock that stands still until it is moved. */
export class ManualClock extends Clock {
  constructor(private current: Instant = fromMillis(0)) {
    super();
  }

  now(): Instant {
    return this.current;
  }

  /** Moves to any instant, backwards too, as a corrected machine clock may. */
  set(i: Instant): void {
    this.current = i;
  }

  /** Moves forward; throws InvariantViolation for a negative step. */
  advance(micros: number): void {
    invariant(micros >= 0, 'A clock advances forward');
    this.current = addMicros(this.current, micros);
  }
}
