import { JobQueue } from '@tallygate/platform';

/** Ingestion has no jobs, so it needs no Redis. */
export class NoJobs extends JobQueue {
  override async add(queue: string): Promise<void> {
    throw new Error(`Ingestion has no queue, and none called ${queue}`);
  }

  override async work({ queue }: { readonly queue: string }): Promise<void> {
    await this.add(queue);
  }

  override async idle(): Promise<void> {}

  override async close(): Promise<void> {}
}
