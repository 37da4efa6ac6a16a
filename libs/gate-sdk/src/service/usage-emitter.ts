import type { ReportedUsage, UsageEvent } from '../domain/usage-event';
import type { GateLog } from './gate-log';
import type { UsageSink } from './usage-sink';
import type { KeptBatch, UsageSpool } from './usage-spool';

export interface EmitterOptions {
  /** Most events that wait, in memory and in the spool together. */
  readonly capacity: number;
  readonly flushMs: number;
  /** Events of one delivery. */
  readonly batch: number;
}

export interface UsageCounts {
  /** Taken from callers. */
  readonly accepted: number;
  /** Taken by the sink. */
  readonly delivered: number;
  /** Not accepted, because as much as allowed was waiting already. */
  readonly dropped: number;
  /** Refused by the sink for good. */
  readonly refused: number;
  readonly waiting: number;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * Sends usage on without ever making a request wait. What was accepted is kept until the sink has it; when too much
 * waits, new usage is not accepted and is counted as dropped, since what was accepted once is owed.
 */
export class UsageEmitter {
  private queue: ReportedUsage[] = [];
  private readonly kept: KeptBatch[] = [];
  private timer: NodeJS.Timeout | null = null;
  private flushing: Promise<void> | null = null;
  private wake: (() => void) | null = null;
  private stopped = false;
  private readonly sum = { accepted: 0, delivered: 0, dropped: 0, refused: 0, waiting: 0 };

  constructor(
    private readonly sink: UsageSink,
    private readonly spool: UsageSpool,
    private readonly options: EmitterOptions,
    private readonly log: GateLog,
  ) {}

  get counts(): UsageCounts {
    return { ...this.sum };
  }

  /** Takes up what an earlier process left behind. */
  async start(): Promise<void> {
    for (const batch of await this.spool.load()) {
      this.kept.push(batch);
      this.sum.waiting += batch.count;
    }
    if (this.kept.length > 0) this.flushSoon(0);
  }

  /** False: not accepted. */
  report(usage: ReportedUsage): boolean {
    if (this.stopped || this.sum.waiting >= this.options.capacity) {
      this.sum.dropped += 1;
      return false;
    }
    this.sum.accepted += 1;
    this.sum.waiting += 1;
    this.queue.push(usage);
    this.flushSoon(this.queue.length >= this.options.batch ? 0 : this.options.flushMs);
    return true;
  }

  /** Delivers at once what waits; resolves when nothing waits any more, however long the sink is away. */
  async drained(): Promise<void> {
    while (this.sum.waiting > 0 && !this.stopped) await this.startFlush();
  }

  /** Tries once to deliver everything, then ends; a spool on disk keeps the rest for the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.wake?.();
    await this.flushing;
    await this.flush();
    await this.sink.close();
  }

  private flushSoon(ms: number): void {
    if (this.flushing !== null || (this.timer !== null && ms > 0)) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.startFlush(), ms);
    this.timer.unref();
  }

  private startFlush(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.flushing ??= this.flush().then(() => {
      this.flushing = null;
      if (!this.stopped && this.queue.length > 0) this.flushSoon(this.options.flushMs);
    });
    return this.flushing;
  }

  /** Until nothing waits, with pauses that grow while the sink (or the disk) does not take anything. */
  private async flush(): Promise<void> {
    for (let failures = 0; this.queue.length > 0 || this.kept.length > 0;) {
      if ((await this.keepQueued()) && (await this.deliverOldest())) {
        failures = 0;
        continue;
      }
      if (this.stopped) return;
      failures += 1;
      await this.pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10)));
    }
  }

  /** False: the spool cannot take it now; it stays in the queue. */
  private async keepQueued(): Promise<boolean> {
    const usage = this.queue;
    if (usage.length === 0) return true;
    this.queue = [];
    for (const [tenantId, all] of byTenant(usage)) {
      for (let from = 0; from < all.length; from += this.options.batch) {
        const events = all.slice(from, from + this.options.batch);
        const kept = await this.spool.keep(tenantId, events).catch((error: unknown) => this.unkept(error));
        if (kept === null) this.queue.push(...events.map((event) => ({ tenantId, event })));
        else this.kept.push(kept);
      }
    }
    return this.kept.length > 0;
  }

  private unkept(error: unknown): null {
    this.log.warn({ err: error }, 'usage cannot be kept');
    return null;
  }

  private async deliverOldest(): Promise<boolean> {
    const batch = this.kept[0];
    if (batch === undefined) return true;
    const { tenantId, count } = batch;
    const delivery = await this.spool
      .read(batch)
      .then((events) => this.sink.send(tenantId, events))
      .catch((error: unknown) => this.undelivered(batch, error));
    if (delivery === null) return false;
    if (delivery.refused > 0) this.log.warn({ tenantId, events: count, ...delivery }, 'usage refused');
    this.sum.delivered += delivery.taken;
    this.sum.refused += delivery.refused;
    this.sum.waiting -= count;
    this.kept.shift();
    // A batch that could not be removed is sent again after the next start; its ids make that harmless.
    await this.spool.remove(batch).catch((error: unknown) => this.unkept(error));
    return true;
  }

  private undelivered({ tenantId, count }: KeptBatch, error: unknown): null {
    this.log.warn({ tenantId, events: count, err: error }, 'usage not delivered yet');
    return null;
  }

  private async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
  }
}

function byTenant(usage: readonly ReportedUsage[]): ReadonlyMap<string, readonly UsageEvent[]> {
  const groups = new Map<string, UsageEvent[]>();
  for (const { tenantId, event } of usage) {
    const group = groups.get(tenantId);
    if (group === undefined) groups.set(tenantId, [event]);
    else group.push(event);
  }
  return groups;
}
