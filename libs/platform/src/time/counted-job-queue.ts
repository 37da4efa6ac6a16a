import { JobQueue } from '../queue/job-queue';
import type { Job, JobHandler } from '../queue/job-queue';
import { withSpan } from '../telemetry/tracing';
import type { ClockParticipant } from './tenant-time';

/** One service's view of the process's queue: each job it runs counts as an effect for the tenant. */
export class CountedJobQueue extends JobQueue {
  constructor(
    private readonly shared: JobQueue,
    private readonly participant: ClockParticipant,
  ) {
    super();
  }

  override add<P>(queue: string, jobs: readonly Job<P>[]): Promise<void> {
    return this.shared.add(queue, jobs);
  }

  override work<P>(handler: JobHandler<P>): Promise<void> {
    const { queue, concurrency } = handler;
    return this.shared.work<P>({
      queue,
      concurrency,
      handle: async (job) => {
        try {
          await withSpan(`${queue} job`, { 'job.id': job.id }, () => handler.handle(job));
        } finally {
          this.participant.touched(job.tenantId);
        }
      },
    });
  }

  override idle(tenantId: string): Promise<void> {
    return this.shared.idle(tenantId);
  }

  /** The process closes the queue it shares out. */
  override async close(): Promise<void> {}
}
