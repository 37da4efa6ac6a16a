import { JobQueue } from '@tallygate/platform';

/** Billing queues nothing: what it does later is a row with a due instant. So its process needs no Redis. */
export class NoJobs extends JobQueue {
  override async add(queue: string): Promise<void> {
    throw new Error(`Billing has no queue, and none called ${queue}`);
  }

  override async work({ queue }: { readonly queue: string }): Promise<void> {
    await this.add(queue);
  }

  override async idle(): Promise<void> {}

  override async close(): Promise<void> {}
}
