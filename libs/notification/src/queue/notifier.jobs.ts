import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database, JobQueue, ServiceContext } from '@tallygate/platform';
import { FactConsumers } from '../kafka/fact.consumers';
import { type DueRow, DueSweeper } from '../postgres/due';
import { Delivering } from '../service/delivering.service';
import { Notifying } from '../service/notifying.service';
import { Sessions } from '../service/session';

const DELIVERIES = 'notifier.deliveries';
const CONCURRENCY = 8;

/** Registers what runs by itself: consumers, sweeps, the delivery queue. */
@Injectable()
export class NotifierJobs implements OnApplicationBootstrap {
  constructor(
    private readonly context: ServiceContext,
    private readonly database: Database,
    private readonly queue: JobQueue,
    private readonly sessions: Sessions,
    private readonly consumers: FactConsumers,
    private readonly notifying: Notifying,
    private readonly delivering: Delivering,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.queue.work<{ readonly id: string }>({
      queue: DELIVERIES,
      concurrency: CONCURRENCY,
      handle: ({ tenantId, payload }) => this.delivering.deliver(tenantId, payload.id),
    });
    this.context.addSweeper(new DueSweeper(this.database, 'reminder', (rows) => this.remind(rows)));
    this.context.addSweeper(new DueSweeper(this.database, 'delivery', (rows) => this.enqueue(rows)));
    for (const subscription of this.consumers.subscriptionsToFacts())
      await this.context.subscribe(subscription);
  }

  private async remind(rows: readonly DueRow[]): Promise<void> {
    for (const { tenant_id: tenantId, id } of rows) {
      await this.sessions.run(tenantId, (session) => this.notifying.remind(session, id));
    }
  }

  private enqueue(rows: readonly DueRow[]): Promise<void> {
    const jobs = rows.map(({ tenant_id: tenantId, id, due }) => ({
      id: JSON.stringify([id, due]),
      tenantId,
      payload: { id },
    }));
    return this.queue.add(DELIVERIES, jobs);
  }
}
