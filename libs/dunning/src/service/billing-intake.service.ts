import { Injectable } from '@nestjs/common';
import type { BillingEvent, InvoiceFacts, PaymentMethodFacts } from '@tallygate/contracts';
import { invariant, parseAmount, parseInstant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { isChargedAutomatically, isDunned, tryNow } from '../domain';
import type { Campaign, CollectedInvoice, Invoice } from '../domain';
import { InvoiceStore, PayerStore } from './ports';
import type { Method } from './ports';
import type { Session } from './session';
import { Standing } from './standing.service';

type InvoiceCause = Extract<BillingEvent, { type: 'invoice.changed' }>['data']['cause'];

/** Takes in what billing says of invoices and methods, whether it comes as a fact or with a request to pay. */
@Injectable()
export class BillingIntake {
  constructor(
    private readonly invoices: InvoiceStore,
    private readonly payers: PayerStore,
    private readonly standing: Standing,
  ) {}

  async invoice(session: Session, facts: InvoiceFacts, cause: InvoiceCause): Promise<void> {
    await this.payers.lock(session, facts.payerId);
    const before = await this.invoices.find(session, facts.id);
    if (!(await this.invoices.apply(session, toInvoice(facts)))) return;
    const after = await this.invoices.find(session, facts.id);
    invariant(after, 'An invoice just stored is there');
    await this.invoices.saveCampaign(session, facts.id, changedCampaign(before, after, cause, session.now));
    await this.standing.reassess(session, facts.payerId);
  }

  /** A new method charges everything due; a removed one charges nothing. */
  async method(
    session: Session,
    payerId: string,
    facts: PaymentMethodFacts | null,
    version: number,
  ): Promise<void> {
    await this.payers.lock(session, payerId);
    const method = facts === null ? null : toMethod(facts);
    if ((await this.payers.applyMethod(session, payerId, method, version)) && method !== null)
      await this.chargeAll(session, payerId);
  }

  /** A method that came with a request, its fact still on the way. */
  async adoptMethod(session: Session, payerId: string, facts: PaymentMethodFacts): Promise<Method> {
    const method = toMethod(facts);
    if (await this.payers.adoptMethod(session, payerId, method)) await this.chargeAll(session, payerId);
    return method;
  }

  private async chargeAll(session: Session, payerId: string): Promise<void> {
    for (const collected of await this.invoices.unsettled(session, payerId)) {
      if (isChargedAutomatically(collected))
        await this.invoices.saveCampaign(session, collected.invoice.id, tryNow(collected, session.now));
    }
  }
}

function changedCampaign(
  before: CollectedInvoice | null,
  after: CollectedInvoice,
  cause: InvoiceCause,
  now: Instant,
): Campaign {
  if (cause === 'reopened') return reopened(after, now);
  if (!isDunned(after)) return { ...after.campaign, tryAt: null };
  return before !== null && isDunned(before) ? after.campaign : tryNow(after, now);
}

/** Owed again at its original age, by link only: the customer took this money back, or was given it back. */
function reopened({ campaign }: CollectedInvoice, now: Instant): Campaign {
  return { ...campaign, capturedBy: null, disputed: false, byLinkOnly: true, failedAt: now, tryAt: null };
}

function toInvoice(facts: InvoiceFacts): Invoice {
  return {
    id: facts.id,
    number: facts.number,
    customerId: facts.customerId,
    payerId: facts.payerId,
    kind: facts.kind,
    currency: facts.currency,
    total: nano(facts.total),
    due: nano(facts.due),
    anchor: instantOf(facts.anchor),
    status: facts.status,
    policyKey: facts.dunningPolicy,
    interval: facts.interval,
    version: facts.version,
  };
}

function toMethod({ id, providerRef, brand, funding, label }: PaymentMethodFacts): Method {
  return { id, providerRef, brand, funding, label };
}

function nano(text: string): Nano {
  const parsed = parseAmount(text);
  invariant(parsed.ok, `A fact with an amount that is none: ${text}`);
  return parsed.value;
}

function instantOf(text: string): Instant {
  const parsed = parseInstant(text);
  invariant(parsed.ok, `A fact with a time that is none: ${text}`);
  return parsed.value;
}
