import { Signal } from '../flow/signal';

interface Known {
  readonly id: string;
  readonly tenantId: string;
}

/** Waited for, whatever the backend says, while it runs or is being queued here; else the queue is asked about it. */
export interface InFlight extends Known {
  readonly queue: string;
  running: boolean;
  /** Calls that are queueing it and have no answer yet: the backend need not know it before. */
  queueing: number;
  /** How often it was queued here: what is said of one time says nothing of the next. */
  times: number;
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

  /** @returns to be given to `queued` or `doubtful` when the backend has answered */
  queueing(queue: string, jobs: readonly Known[]): readonly InFlight[] {
    const known = jobs.map((job) => this.know(queue, job));
    for (const job of known) {
      job.queueing += 1;
      job.times += 1;
    }
    this.forgetOldest();
    return known;
  }

  queued(jobs: readonly InFlight[]): void {
    for (const job of jobs) job.queueing -= 1;
  }

  started(queue: string, job: Known): void {
    this.know(queue, job).running = true;
  }

  /** The handler is done, while the backend may still hold the job: to be asked about from now on. */
  ended(queue: string, { id }: Known): void {
    const job = this.jobs.get(nameOf(queue, id));
    if (job !== undefined) job.running = false;
  }

  /** The backend no longer holds the job, unless it is being queued again: then it may come back. */
  finished(queue: string, job: Known): void {
    this.ended(queue, job);
    const known = this.jobs.get(nameOf(queue, job.id));
    if (known?.queueing === 0) this.forget(known);
    this.changed.raise();
  }

  /** Queueing failed, so they may be there or not; nobody waits for them. */
  doubtful(jobs: readonly InFlight[]): void {
    this.queued(jobs);
    for (const job of jobs) if (!isHeld(job)) this.forget(job);
    this.changed.raise();
  }

  async idle(tenantId: string): Promise<void> {
    for (;;) {
      const change = this.changed.next();
      const waiting = this.of(tenantId);
      if (waiting.length === 0 || this.closed) return;
      if (!(await this.reconcile(waiting.filter((job) => !isHeld(job))))) return;
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
      const { times } = job;
      const there = await this.isThere(job.queue, job.id).catch(() => null);
      if (there === null) return false;
      // It may have begun to run, or been queued again, since the question was asked.
      if (!there && !isHeld(job) && job.times === times) this.forget(job);
    }
    return true;
  }

  private of(tenantId: string): InFlight[] {
    return [...this.jobs.values()].filter((job) => job.tenantId === tenantId);
  }

  private know(queue: string, { id, tenantId }: Known): InFlight {
    const name = nameOf(queue, id);
    const known = this.jobs.get(name) ?? { queue, id, tenantId, running: false, queueing: 0, times: 0 };
    this.jobs.set(name, known);
    return known;
  }

  /** Unless another job of its name has taken its place. */
  private forget(job: InFlight): void {
    const name = nameOf(job.queue, job.id);
    if (this.jobs.get(name) === job) this.jobs.delete(name);
  }

  /** Jobs that other processes run are never finished here; only tenants in test mode are ever waited for. */
  private forgetOldest(): void {
    for (const [name, job] of this.jobs) {
      if (this.jobs.size <= MOST_TRACKED) return;
      if (!isHeld(job)) this.jobs.delete(name);
    }
  }
}

function isHeld({ running, queueing }: InFlight): boolean {
  return running || queueing > 0;
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
