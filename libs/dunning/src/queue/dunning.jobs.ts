import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { Database, JobQueue, ServiceContext } from '@tallygate/platform';
import type { Job } from '@tallygate/platform';
import { BillingConsumer } from '../kafka/billing.consumer';
import { NotifierConsumer } from '../kafka/notifier.consumer';
import { dueAttempts, duePayers, dueRefunds, dueStandings, nextDue } from '../postgres/sql/due';
import { PayerStore } from '../service/ports';
import { Charging } from '../service/charging.service';
import { Reconciling } from '../service/reconciling.service';
import { Refunding } from '../service/refunding.service';
import { Sessions } from '../service/session';
import { Standing } from '../service/standing.service';
import { DueWorkSweeper, toQueue } from './due-work.sweeper';
import type { DuePayload } from './due-work.sweeper';

const CHARGE = 'dunning.charge';
const RECONCILE = 'dunning.reconcile';
const REFUND = 'dunning.refund';
const CONCURRENCY = 16;

/** Registers what runs by itself: consumers, queue handlers, sweeps. */
@Injectable()
export class DunningJobs implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly database: Database,
    private readonly queue: JobQueue,
    private readonly sessions: Sessions,
    private readonly payers: PayerStore,
    private readonly charging: Charging,
    private readonly reconciling: Reconciling,
    private readonly refunding: Refunding,
    private readonly standing: Standing,
    private readonly billing: BillingConsumer,
    private readonly notifier: NotifierConsumer,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.handle(CHARGE, ({ tenantId, payload }) => this.charging.chargeDue(tenantId, payload.id));
    await this.handle(RECONCILE, ({ tenantId, payload }) => this.reconciling.reconcile(tenantId, payload.id));
    await this.handle(REFUND, ({ tenantId, payload }) => this.refunding.send(tenantId, payload.id));
    this.sweep('charges', duePayers, nextDue.payers, toQueue(this.queue, CHARGE));
    this.sweep('outcomes', dueAttempts, nextDue.attempts, toQueue(this.queue, RECONCILE));
    this.sweep('refunds', dueRefunds, nextDue.refunds, toQueue(this.queue, REFUND));
    this.sweep('standings', dueStandings, nextDue.standings, (jobs) => this.reassess(jobs));
    await this.context.subscribe(this.billing.subscription);
    await this.context.subscribe(this.notifier.subscription);
  }

  private handle(queue: string, handle: (job: Job<DuePayload>) => Promise<void>): Promise<void> {
    return this.queue.work<DuePayload>({ queue, concurrency: CONCURRENCY, handle });
  }

  private sweep(
    name: string,
    due: { name: string; text: string },
    next: { name: string; text: string },
    take: (jobs: readonly Job<DuePayload>[]) => Promise<void>,
  ): void {
    this.context.addSweeper(new DueWorkSweeper(this.database, { name, due, next }, take));
  }

  private async reassess(jobs: readonly Job<DuePayload>[]): Promise<void> {
    for (const { tenantId, payload } of jobs) {
      await this.sessions.run(tenantId, async (session) => {
        await this.payers.lock(session, payload.id);
        await this.standing.reassess(session, payload.id);
      });
    }
  }
}
