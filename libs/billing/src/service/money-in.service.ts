import { Injectable } from '@nestjs/common';
import type { CollectionFacts, DeclineClass, DunningEvent } from '@tallygate/contracts';
import { invariant, minNano, parseInstant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import {
  capture,
  confirm,
  disputeTopUp,
  fail,
  knownAmount,
  paid,
  paymentHeld,
  refund,
  refundTopUp,
  reversedCredit,
  settled,
  standingChanged,
  voidInvoice,
} from '../domain';
import type { Invoice, Standing, TopUp } from '../domain';
import { AutoTopUpRules } from './auto-top-up-rules.service';
import { BillingFacts } from './billing-facts';
import { Invoicing } from './invoicing.service';
import { CustomerStore, InvoiceStore, SubscriptionStore, TopUpStore } from './ports';
import { Subscribing } from './subscribing.service';
import type { Session } from './tenant-session';

/** Why a charge did not go through; our own caps have a code and no class. */
export interface Decline {
  readonly declineCode: string;
  readonly declineClass: DeclineClass | null;
}

/**
 * What became of money: the one way in, for dunning's facts and for the answers of its pay-now port alike. Whichever
 * comes first moves the invoice, the other finds it moved; a capture that nothing waits for is dunning's to give back.
 */
@Injectable()
export class MoneyIn {
  constructor(
    private readonly invoices: InvoiceStore,
    private readonly subscriptions: SubscriptionStore,
    private readonly customers: CustomerStore,
    private readonly topUps: TopUpStore,
    private readonly invoicing: Invoicing,
    private readonly subscribing: Subscribing,
    private readonly rules: AutoTopUpRules,
    private readonly facts: BillingFacts,
  ) {}

  async handle(session: Session, event: DunningEvent): Promise<void> {
    switch (event.type) {
      case 'payment.succeeded':
        return this.succeeded(session, event.data.invoiceId, event.data.amount);
      case 'payment.failed':
        return this.declined(session, event.data.invoiceId, event.data);
      case 'payment.action_required':
        return this.actionRequired(session, event.data.invoiceId);
      case 'payment.disputed':
        return this.disputed(session, event.data.invoiceId, event.data.state, event.data.amount);
      case 'collection.changed':
        return this.standing(session, event.data);
      default:
        return undefined;
    }
  }

  async succeeded(session: Session, invoiceId: string, amount: string): Promise<void> {
    const invoice = await this.invoices.byId(session, invoiceId);
    const change = invoice === null ? null : capture(invoice, knownAmount(amount), session.now);
    if (change !== null) await this.settleInvoice(session, await this.invoicing.record(session, change));
  }

  /** A top-up ends with its first refusal; a change of plan never was; everything else is dunning's to try again. */
  async declined(session: Session, invoiceId: string, decline: Decline): Promise<void> {
    const invoice = await this.invoices.byId(session, invoiceId);
    if (invoice === null) return;
    if (invoice.topUpId !== null) await this.failTopUp(session, invoice, invoice.topUpId, decline);
    await this.hold(session, invoice, 'payment');
  }

  async actionRequired(session: Session, invoiceId: string): Promise<void> {
    const invoice = await this.invoices.byId(session, invoiceId);
    if (invoice !== null) await this.hold(session, invoice, 'action');
  }

  private async disputed(
    session: Session,
    invoiceId: string,
    state: 'open' | 'won' | 'lost',
    amount: string,
  ): Promise<void> {
    await this.reverse(session, invoiceId, (topUp) => disputeTopUp(topUp, state, knownAmount(amount)));
    if (state === 'lost') await this.lost(session, invoiceId, amount);
  }

  /** Money of a paid invoice was given back: a top-up's credit goes with it. */
  refunded(session: Session, invoiceId: string, money: Nano): Promise<void> {
    return this.reverse(session, invoiceId, (topUp) => refundTopUp(topUp, money));
  }

  private async reverse(
    session: Session,
    invoiceId: string,
    change: (topUp: TopUp) => TopUp | null,
  ): Promise<void> {
    const invoice = await this.invoices.byId(session, invoiceId);
    const topUp = invoice?.topUpId == null ? null : await this.topUps.byId(session, invoice.topUpId);
    const changed = topUp?.status === 'paid' ? change(topUp) : null;
    if (invoice === null || changed === null) return;
    await this.topUps.save(session, changed);
    await this.facts.topUpReversed(session, changed, reversedCredit(changed, invoice.total));
  }

  /** The money of a chargeback is gone for good: a subscription's invoice is owed again, at its original age. */
  private async lost(session: Session, invoiceId: string, amount: string): Promise<void> {
    const invoice = await this.invoices.byId(session, invoiceId);
    if (invoice === null || invoice.captured === 0n) return;
    const gone = minNano(knownAmount(amount), invoice.captured);
    const change = refund(invoice, gone, invoice.kind === 'subscription', session.now);
    if (typeof change !== 'string') await this.invoicing.record(session, change);
  }

  /** What follows from an invoice that owes nothing any more: paid by a capture, otherwise, or forgiven. */
  async settleInvoice(session: Session, invoice: Invoice): Promise<void> {
    if (invoice.topUpId !== null) return this.payTopUp(session, invoice.topUpId);
    if (invoice.subscriptionId !== null && invoice.status === 'paid')
      await this.servePaid(session, invoice, invoice.subscriptionId);
    if (await this.invoicing.owesNothing(session, invoice.payerId))
      await this.reopen(session, invoice.payerId);
  }

  private async servePaid(session: Session, { purpose }: Invoice, subscriptionId: string): Promise<void> {
    const subscription = await this.subscriptions.byId(session, subscriptionId);
    if (subscription === null || purpose === 'top_up') return;
    await this.subscribing.happen(session, subscription, paid(subscription, purpose, session.now));
  }

  /** Accounts written off close in good order once their payer owes nothing. */
  private async reopen(session: Session, payerId: string): Promise<void> {
    for (const customerId of await this.customers.paidBy(session, payerId)) {
      const state = await this.subscriptions.inForce(session, customerId);
      if (state !== null) await this.subscribing.happen(session, state, settled(state, session.now));
    }
  }

  private async hold(session: Session, invoice: Invoice, reason: 'action' | 'payment'): Promise<void> {
    if (invoice.subscriptionId === null || invoice.purpose === 'top_up') return;
    const state = await this.subscriptions.byId(session, invoice.subscriptionId);
    if (state !== null)
      await this.subscribing.happen(session, state, paymentHeld(state, invoice.purpose, reason));
  }

  private async payTopUp(session: Session, topUpId: string): Promise<void> {
    const topUp = await this.topUps.byId(session, topUpId);
    const confirmed = topUp === null ? null : confirm(topUp, session.now);
    if (confirmed === null) return;
    await this.topUps.save(session, confirmed);
    await this.facts.topUpPaid(session, confirmed);
    await this.rules.paid(session, confirmed);
  }

  private async failTopUp(
    session: Session,
    invoice: Invoice,
    topUpId: string,
    { declineCode, declineClass }: Decline,
  ): Promise<void> {
    const topUp = await this.topUps.byId(session, topUpId);
    const failed = topUp === null ? null : fail(topUp, declineCode);
    if (failed === null) return;
    await this.topUps.save(session, failed);
    await this.facts.topUpFailed(session, failed);
    await this.rules.declined(session, failed, declineClass === 'hard');
    const change = voidInvoice(invoice, session.now);
    if (change !== null) await this.invoicing.record(session, change);
  }

  /** How the payer stands concerns everyone it pays for. */
  private async standing(session: Session, facts: CollectionFacts): Promise<void> {
    const known = await this.subscriptions.standing(session, facts.customerId);
    if (known !== null && known.version >= facts.version) return;
    const standing: Standing = {
      state: facts.state,
      suspendAt: instantOrNull(facts.suspendAt),
      version: facts.version,
    };
    await this.subscriptions.saveStanding(session, facts.customerId, standing);
    const downgradeTo =
      facts.downgradeTo === null ? null : await this.subscribing.soldPlan(session, facts.downgradeTo);
    const news = { standing, finalAction: facts.finalAction, downgradeTo };
    for (const customerId of await this.customers.paidBy(session, facts.customerId)) {
      const state = await this.subscriptions.inForce(session, customerId);
      if (state !== null)
        await this.subscribing.happen(session, state, standingChanged(state, news, session.now));
    }
  }
}

function instantOrNull(text: string | null): Instant | null {
  if (text === null) return null;
  const parsed = parseInstant(text);
  invariant(parsed.ok, `A fact with a time that is none: ${text}`);
  return parsed.value;
}
