import { Clock, instant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

/** The machine's clock as it was at the start of the process, running evenly since: a jump of wall time is none here. */
export class SteadyClock extends Clock {
  override now(): Instant {
    return instant(Math.floor((performance.timeOrigin + performance.now()) * 1_000));
  }
}
