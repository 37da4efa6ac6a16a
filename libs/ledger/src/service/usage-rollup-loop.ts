import type { OnApplicationShutdown } from '@nestjs/common';
import { Pause } from '@tallygate/platform';
import type { Database, Log } from '@tallygate/platform';
import type { Folded, UsageRollupStore } from './usage-rollup-store';

/** Slices; of large ones fewer, as the store sees fit. */
const MOST_AT_ONCE = 64;
/** While little comes: what waits is read from the events. */
const IDLE_MS = 5_000;
/** How often as long as it worked it rests: under load it falls behind and catches up later, which no reader sees. */
const REST = { whileUsageComes: 9, else: 1 };

/** Folds usage into its roll-up in the background. Any number of processes may run it: one works at a time. */
export class UsageRollupLoop implements OnApplicationShutdown {
  private readonly pause = new Pause();
  private running = false;
  /** The newest slice when it was last looked. */
  private newest: bigint | null = null;
  private done: Promise<void> = Promise.resolve();

  constructor(
    private readonly rollup: UsageRollupStore,
    private readonly database: Database,
    private readonly log: Log,
  ) {}

  start(): void {
    this.running = true;
    this.done = this.loop();
  }

  async onApplicationShutdown(): Promise<void> {
    this.running = false;
    this.pause.wake();
    await this.done;
  }

  private async loop(): Promise<void> {
    while (this.running) {
      const begun = performance.now();
      const { more, newest } = await this.once();
      const comes = newest !== this.newest;
      this.newest = newest;
      if (this.running) await this.pause.wait(restMs(performance.now() - begun, more, comes));
    }
  }

  private once(): Promise<Folded> {
    return this.database
      .asWorker((tx) => this.rollup.fold(tx, MOST_AT_ONCE))
      .catch((error: unknown) => {
        this.log.error({ err: error }, 'usage was not folded; it is tried again');
        return { folded: 0, newest: this.newest, more: false };
      });
  }
}

/** @param more whether some waits still @param comes whether usage came since the last look */
export function restMs(workedMs: number, more: boolean, comes: boolean): number {
  const rest = workedMs * (comes ? REST.whileUsageComes : REST.else);
  return more ? rest : Math.max(IDLE_MS, rest);
}
