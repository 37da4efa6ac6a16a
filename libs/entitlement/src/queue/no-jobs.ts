import { JobQueue } from '@tallygate/platform';

/** Entitlement queues nothing: a process of its own runs without Redis. */
export class NoJobs extends JobQueue {
  override async add(queue: string): Promise<void> {
    throw new Error(`Entitlement has no queue ${queue}`);
  }

  override async work(): Promise<void> {
    throw new Error('Entitlement has no queue');
  }

  override async idle(): Promise<void> {
    return;
  }

  override async close(): Promise<void> {
    return;
  }
}
