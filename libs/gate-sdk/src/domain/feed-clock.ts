import { MICROS, addMicros } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

/** Bookmarks come once a second: the corrections of the last quarter of a minute are kept. */
const REMEMBERED = 15;

/**
 * What time it is by the service, and how long ago the feed was last heard of. The local clock only has to run evenly:
 * each bookmark carries the server's time, which a delay on the way can only make look older, so of the latest
 * differences the largest is nearest to the truth.
 */
export class FeedClock {
  private readonly differences: number[] = [];
  private correction = 0;
  private heardAt: Instant | null = null;

  now(local: Instant): Instant {
    return addMicros(local, this.correction);
  }

  /** The feed proved to be up. */
  heard(local: Instant): void {
    this.heardAt = this.now(local);
  }

  /** A bookmark with the server's time. */
  bookmark(local: Instant, server: Instant): void {
    this.differences.push(server - local);
    if (this.differences.length > REMEMBERED) this.differences.shift();
    this.correction = Math.max(...this.differences);
    this.heard(local);
  }

  /** What a copy on disk says about itself, by the server's clock. */
  restored(at: Instant): void {
    if (this.heardAt === null) this.heardAt = at;
  }

  /** Microseconds since the feed was last heard of; null when it never was. */
  age(local: Instant): number | null {
    return this.heardAt === null ? null : Math.max(0, this.now(local) - this.heardAt);
  }

  /** Silence longer than this means that the stream is dead, whatever its socket says. */
  static readonly LONGEST_SILENCE_MICROS = 4 * MICROS.second;
}
