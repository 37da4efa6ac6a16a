import { Injectable } from '@nestjs/common';
import { tryNow } from '../domain';
import { AttemptStore, InvoiceStore, PayerStore } from './ports';
import type { Attempt, Payer } from './ports';
import { Sessions } from './session';

export type RestartAnswer = 'restarted' | 'unknown_invoice' | 'nothing_to_restart';

/** What people ask of collection: look at it, and set going again what waits for them. */
@Injectable()
export class Collecting {
  constructor(
    private readonly sessions: Sessions,
    private readonly payers: PayerStore,
    private readonly invoices: InvoiceStore,
    private readonly attempts: AttemptStore,
  ) {}

  attemptsOf(tenantId: string, payerId: string): Promise<readonly Attempt[]> {
    return this.sessions.view(tenantId, (session) => this.attempts.reachedOf(session, payerId));
  }

  payer(tenantId: string, payerId: string): Promise<Payer | null> {
    return this.sessions.view(tenantId, (session) => this.payers.find(session, payerId));
  }

  /** After an outage that outlasted the schedule. */
  restart(tenantId: string, invoiceId: string): Promise<RestartAnswer> {
    return this.sessions.run(tenantId, async (session) => {
      const unlocked = await this.invoices.find(session, invoiceId);
      if (unlocked === null) return 'unknown_invoice';
      await this.payers.lock(session, unlocked.invoice.payerId);
      const collected = (await this.invoices.find(session, invoiceId)) ?? unlocked;
      if (collected.campaign.outageSince === null || collected.campaign.tryAt !== null)
        return 'nothing_to_restart';
      const campaign = { ...tryNow(collected, session.now), outageTries: 0 };
      await this.invoices.saveCampaign(session, invoiceId, campaign);
      return 'restarted';
    });
  }
}
