import type { Clock } from '@tallygate/kernel';
import { Pause } from '../flow/signal';
import type { Log } from '../telemetry/log';
import type { Sweeper } from './tenant-time';

export interface SweepObserver {
  readonly swept: (sweeper: string, count: number) => void;
  readonly failed: (sweeper: string) => void;
}

/**
 * Runs every sweeper every second over all tenants, and again at once while it finds something. A sweeper never
 * overlaps itself here; a slow or failing one delays no other.
 */
export class SweepRunner {
  private readonly loops: { readonly pause: Pause; readonly done: Promise<void> }[] = [];
  private readonly sweepers: Sweeper[] = [];
  private running = false;

  constructor(
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly observer: SweepObserver = { swept: () => undefined, failed: () => undefined },
    private readonly everyMs = 1_000,
  ) {}

  add(sweeper: Sweeper): void {
    this.sweepers.push(sweeper);
    if (this.running) this.launch(sweeper);
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    for (const sweeper of this.sweepers) this.launch(sweeper);
  }

  /** Resolves when the sweeps in progress have ended. */
  async stop(): Promise<void> {
    this.running = false;
    for (const { pause } of this.loops) pause.wake();
    await Promise.all(this.loops.splice(0).map(({ done }) => done));
  }

  private launch(sweeper: Sweeper): void {
    const pause = new Pause();
    this.loops.push({ pause, done: this.loop(sweeper, pause) });
  }

  private async loop(sweeper: Sweeper, pause: Pause): Promise<void> {
    while (this.running) {
      const did = await this.sweepOnce(sweeper);
      if (did === 0 && this.running) await pause.wait(this.everyMs);
    }
  }

  private async sweepOnce(sweeper: Sweeper): Promise<number> {
    try {
      const did = await sweeper.sweep(null, this.clock.now());
      this.observer.swept(sweeper.name, did);
      return did;
    } catch (error) {
      this.observer.failed(sweeper.name);
      this.log.error({ err: error, sweeper: sweeper.name }, 'a sweep failed; the next one is in a second');
      return 0;
    }
  }
}
