import { Pause, Signal } from '@tallygate/platform';
import type { Log } from '@tallygate/platform';
import type { EntryStore } from './entry-store';
import type { FeedHub } from './feed-hub';

const PAGE = 5_000;
/** Another process of the service may write too; its changes are seen at the latest after this long. */
const POLL_MS = 250;

/**
 * Reads the stored feed into the hub, in order, without gaps: entries are numbered under a lock that is held until their
 * commit, so whatever is visible above a number is everything there will ever be below the highest one seen.
 */
export class FeedFollower {
  private readonly pause = new Pause();
  private readonly read = new Signal();
  private running: Promise<void> | null = null;
  private stopped = false;
  private failures = 0;

  constructor(
    private readonly store: EntryStore,
    private readonly hub: FeedHub,
    private readonly log: Log,
  ) {}

  /** Loads everything, then follows. */
  async start(): Promise<void> {
    const { epoch } = await this.store.position();
    this.hub.begin(epoch);
    await this.readOn();
    this.running = this.follow();
  }

  wake(): void {
    this.pause.wake();
  }

  /** Resolves when everything committed before the call is in the hub. */
  async caughtUp(): Promise<void> {
    if (this.stopped) return;
    const { seq } = await this.store.position();
    await this.reached(seq);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.pause.wake();
    await this.running;
  }

  /** Numbers may be left unused, so a read that found nothing more counts as having reached them. */
  private async reached(seq: number): Promise<void> {
    for (let rounds = 0; rounds < 2 && this.hub.position.seq < seq && !this.stopped; rounds += 1) {
      const next = this.read.next();
      this.wake();
      await next;
    }
  }

  private async follow(): Promise<void> {
    while (!this.stopped) {
      await this.pause.wait(POLL_MS);
      if (!this.stopped) await this.attempt();
      this.read.raise();
    }
  }

  /** The database may be away for a while: gates keep what they have, and grow stale by their own clock. */
  private async attempt(): Promise<void> {
    await this.readOn().catch((error: unknown) => this.log.error({ err: error }, 'the feed cannot be read'));
  }

  private async readOn(): Promise<void> {
    for (;;) {
      const page = await this.store.after(this.hub.position.seq, PAGE);
      this.hub.advance(page);
      if (page.length < PAGE) return;
    }
  }
}
