import { Signal } from '../flow/signal';

interface Known {
  readonly id: string;
  readonly tenantId: string;
}

interface InFlight extends Known {
  readonly queue: string;
  /** Running here: waited for whatever the backend says. Otherwise the queue is asked whether the job still exists. */
  running: boolean;
}

const RECONCILE_MS = 250;
const MOST_TRACKED = 100_000;

/**
 * The jobs that this process queued or runs, so that a tenant's clock can wait for them. Memory is not trusted: a job
 * may have run elsewhere, or the backend may have lost it, so what does not run here is looked up before it is waited
 * for any longer. When the backend is down nothing is waited for.
 */
export class JobsInFlight {
  private readonly jobs = new Map<string, InFlight>();
  private readonly changed = new Signal();
  private closed = false;

  constructor(private readonly isThere: (queue: string, id: string) => Promise<boolean>) {}

  queued(queue: string, jobs: readonly Known[]): void {
    for (const { id, tenantId } of jobs) {
      if (!this.jobs.has(nameOf(queue, id)))
        this.jobs.set(nameOf(queue, id), { queue, id, tenantId, running: false });
    }
    this.forgetOldest();
  }

  started(queue: string, { id, tenantId }: Known): void {
    this.jobs.set(nameOf(queue, id), { queue, id, tenantId, running: true });
  }

  /** The handler is done, while the backend may still hold the job: to be asked about from now on. */
  ended(queue: string, { id }: Known): void {
    const job = this.jobs.get(nameOf(queue, id));
    if (job !== undefined) job.running = false;
  }

  /** The backend no longer holds the job. */
  finished(queue: string, { id }: Known): void {
    this.jobs.delete(nameOf(queue, id));
    this.changed.raise();
  }

  /** Queueing failed, so they may be there or not; nobody waits for them. */
  doubtful(queue: string, jobs: readonly Known[]): void {
    for (const { id } of jobs)
      if (this.jobs.get(nameOf(queue, id))?.running === false) this.jobs.delete(nameOf(queue, id));
    this.changed.raise();
  }

  async idle(tenantId: string): Promise<void> {
    for (;;) {
      const change = this.changed.next();
      const waiting = this.of(tenantId);
      if (waiting.length === 0 || this.closed) return;
      if (!(await this.reconcile(waiting.filter((job) => !job.running)))) return;
      if (this.of(tenantId).length > 0) await soon(RECONCILE_MS, change);
    }
  }

  close(): void {
    this.closed = true;
    this.changed.raise();
  }

  /** @returns false when the backend does not answer */
  private async reconcile(waiting: readonly InFlight[]): Promise<boolean> {
    for (const job of waiting) {
      const there = await this.isThere(job.queue, job.id).catch(() => null);
      if (there === null) return false;
      // A run may have begun since the question was asked.
      if (!there && this.jobs.get(nameOf(job.queue, job.id)) === job && !job.running)
        this.jobs.delete(nameOf(job.queue, job.id));
    }
    return true;
  }

  private of(tenantId: string): InFlight[] {
    return [...this.jobs.values()].filter((job) => job.tenantId === tenantId);
  }

  /** Jobs that other processes run are never finished here; only tenants in test mode are ever waited for. */
  private forgetOldest(): void {
    for (const [name, job] of this.jobs) {
      if (this.jobs.size <= MOST_TRACKED) return;
      if (!job.running) this.jobs.delete(name);
    }
  }
}

function nameOf(queue: string, id: string): string {
  return `${queue}\n${id}`;
}

function soon(ms: number, change: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    timer.unref();
    void change.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
