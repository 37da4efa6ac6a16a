import type { Log } from '@tallygate/platform';
import { AccessLogReader } from './access-log-reader';
import type { AccessLogCounts, AccessLogOptions } from './access-log-reader';

const POLL_MS = 200;
const LONGEST_WAIT_MS = 5_000;

/** Follows logs, each by itself: one that cannot be read or delivered keeps no other back. */
export class AccessLogs {
  private readonly follows: readonly Follow[];

  constructor(paths: readonly string[], options: Omit<AccessLogOptions, 'path'>) {
    this.follows = paths.map((path) => new Follow(new AccessLogReader({ ...options, path }), options.log));
  }

  start(): void {
    for (const follow of this.follows) follow.next(0);
  }

  get counts(): AccessLogCounts {
    const sum = { reported: 0, rejected: 0, unbilled: 0, gaps: 0, behindBytes: 0 };
    for (const { reader } of this.follows)
      for (const [name, count] of Object.entries(reader.counts) as [keyof AccessLogCounts, number][])
        sum[name] += count;
    return sum;
  }

  /** Reads now what is there. */
  async drained(): Promise<void> {
    await Promise.all(this.follows.map((follow) => follow.poll()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.follows.map((follow) => follow.stop()));
  }
}

class Follow {
  private timer: NodeJS.Timeout | null = null;
  private polling: Promise<void> = Promise.resolve();
  private failures = 0;
  private stopped = false;

  constructor(
    readonly reader: AccessLogReader,
    private readonly log: Log,
  ) {}

  next(ms: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.poll().then(() => this.next(this.waitMs())), ms);
    this.timer.unref();
  }

  /** One at a time: whoever asks while one is at work gets the one after it. */
  poll(): Promise<void> {
    this.polling = this.polling.then(() => this.once());
    return this.polling;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.polling;
    await this.reader.close();
  }

  private async once(): Promise<void> {
    if (this.stopped) return;
    await this.reader.poll().then(
      () => (this.failures = 0),
      (error: unknown) => {
        this.failures += 1;
        this.log.warn({ err: error }, 'the access log waits');
      },
    );
  }

  private waitMs(): number {
    return Math.min(LONGEST_WAIT_MS, POLL_MS * 2 ** Math.min(this.failures, 10));
  }
}
