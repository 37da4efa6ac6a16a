import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database, JobQueue, ServiceContext } from '@tallygate/platform';
import { FactConsumers } from '../kafka/fact.consumers';
import { type DueRow, DueSweeper } from '../postgres/due';
import { Delivering } from '../service/delivering.service';
import { LookingAgain } from '../service/looking-again.service';
import { Notifying } from '../service/notifying.service';
import { type Session, Sessions } from '../service/session';

const DELIVERIES = 'notifier.deliveries';
const CONCURRENCY = 8;

interface DeliveryJob {
  readonly id: string;
  readonly customerId: string;
}

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
    private readonly lookingAgain: LookingAgain,
    private readonly delivering: Delivering,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.queue.work<DeliveryJob>({
      queue: DELIVERIES,
      concurrency: CONCURRENCY,
      handle: ({ tenantId, payload }) => this.delivering.deliver(tenantId, payload.customerId, payload.id),
    });
    const { context, database } = this;
    const eachIn = (table: 'watch' | 'reminder', take: Take): void =>
      context.addSweeper(new DueSweeper(database, table, (rows) => this.each(rows, take)));
    eachIn('watch', (session, id) => this.lookingAgain.lookAgain(session, id));
    eachIn('reminder', (session, id) => this.notifying.remind(session, id));
    context.addSweeper(new DueSweeper(database, 'delivery', (rows) => this.enqueue(rows)));
    for (const subscription of this.consumers.subscriptionsToFacts())
      await this.context.subscribe(subscription);
  }

  private async each(rows: readonly DueRow[], take: Take): Promise<void> {
    for (const { tenant_id: tenantId, customer_id: customerId, id } of rows)
      await this.sessions.about(tenantId, [customerId], (session) => take(session, id));
  }

  private enqueue(rows: readonly DueRow[]): Promise<void> {
    const jobs = rows.map(({ tenant_id: tenantId, customer_id: customerId, id, due }) => ({
      id: JSON.stringify([id, due]),
      tenantId,
      payload: { id, customerId },
    }));
    return this.queue.add<DeliveryJob>(DELIVERIES, jobs);
  }
}

type Take = (session: Session, id: string) => Promise<void>;
