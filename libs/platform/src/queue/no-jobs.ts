import { JobQueue } from './job-queue';

/** For a service that queues nothing, so that its process needs no Redis. Using it is a mistake of the service. */
export class NoJobs extends JobQueue {
  override async add(queue: string): Promise<void> {
    throw new Error(`This service runs without a job queue, so there is none called ${queue}`);
  }

  override async work({ queue }: { readonly queue: string }): Promise<void> {
    await this.add(queue);
  }

  override async idle(): Promise<void> {}

  override async close(): Promise<void> {}
}
