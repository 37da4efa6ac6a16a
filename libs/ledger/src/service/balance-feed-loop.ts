import type { OnApplicationShutdown } from '@nestjs/common';
import { Pause } from '@tallygate/platform';
import type { Log, Settleable } from '@tallygate/platform';
import type { BalanceFeed } from './balance-feed';

const EVERY_MS = 1_000;

/** Flushes what was gathered: every so often, and at once when a tenant's clock settles. */
export class BalanceFeedLoop implements Settleable, OnApplicationShutdown {
  readonly name = 'ledger balances';
  private readonly pause = new Pause();
  private running = false;
  private done: Promise<void> = Promise.resolve();

  constructor(
    private readonly feed: BalanceFeed,
    private readonly log: Log,
  ) {}

  async start(): Promise<void> {
    await this.feed.recover();
    this.running = true;
    this.done = this.loop();
  }

  async settle(tenantId: string): Promise<void> {
    await this.feed.flush(tenantId);
  }

  async onApplicationShutdown(): Promise<void> {
    this.running = false;
    this.pause.wake();
    await this.done;
  }

  private async loop(): Promise<void> {
    while (this.running) {
      await this.feed.flush(null).catch((error: unknown) => {
        this.log.error({ err: error }, 'publishing balances failed; the next try is in a second');
      });
      if (this.running) await this.pause.wait(EVERY_MS);
    }
  }
}
