/** Work to do now, at least once. Schedules are rows (see Sweeper); the queue executes, it does not remember. */
export interface Job<P> {
  /** Unambiguous per piece of work and attempt (for example row id and version); the same id is queued once. */
  readonly id: string;
  readonly tenantId: string;
  readonly payload: P;
}

export interface JobHandler<P> {
  readonly queue: string;
  readonly concurrency: number;
  handle(job: Job<P>): Promise<void>;
}

/** BullMQ on Redis in production, on PostgreSQL in the embedded default; one conformance suite holds both. */
export abstract class JobQueue {
  /** Queues jobs; one already queued or running under the same id is left alone. Rejects when the backend is down. */
  abstract add<P>(queue: string, jobs: readonly Job<P>[]): Promise<void>;
  /** Registers the one handler of a queue; a second handler for the same queue is refused. */
  abstract work<P>(handler: JobHandler<P>): Promise<void>;
  /** Resolves when no job of this tenant that this process queued or runs is left, or when the backend is down. */
  abstract idle(tenantId: string): Promise<void>;
  abstract close(): Promise<void>;
}
