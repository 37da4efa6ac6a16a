import { Injectable } from '@nestjs/common';
import { DunningFacts } from './dunning-facts';
import { InvoiceStore } from './ports';
import type { Attempt, ProviderEvent } from './ports';
import type { Session } from './session';
import { Standing } from './standing.service';

export type DisputeEvent = Exclude<ProviderEvent['kind'], 'outcome'>;

/** Chargebacks: access ends when one opens, whatever the invoice's age, and comes back when it is won. */
@Injectable()
export class Disputes {
  constructor(
    private readonly invoices: InvoiceStore,
    private readonly standing: Standing,
    private readonly facts: DunningFacts,
  ) {}

  /** The caller holds the payer's lock. A chargeback of another capture than the invoice's own concerns nobody's access. */
  async take(session: Session, attempt: Attempt, event: DisputeEvent): Promise<void> {
    const collected = await this.invoices.find(session, attempt.invoiceId);
    if (collected === null || collected.campaign.capturedBy !== attempt.id) return;
    const disputed = event === 'dispute_opened';
    // Lost: the money is gone. The invoice is owed again once billing reopens it, and until then the denial stays.
    if (event !== 'dispute_lost')
      await this.invoices.saveCampaign(session, attempt.invoiceId, { ...collected.campaign, disputed });
    await this.facts.disputed(session, attempt, event);
    await this.standing.reassess(session, attempt.payerId);
  }
}
