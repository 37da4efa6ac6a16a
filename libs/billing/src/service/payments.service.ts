import { Injectable } from '@nestjs/common';
import type { PayAnswer, PaymentMethodFacts } from '@tallygate/contracts';
import { err, formatAmount, ok } from '@tallygate/kernel';
import type { Nano, Result } from '@tallygate/kernel';
import {
  forgive,
  invoiceFacts,
  isOwed,
  knownAmount,
  payerOf,
  payExternally,
  refund,
  writeOff,
  writeOffAccount,
} from '../domain';
import type { Invoice, InvoiceChange, InvoiceRefusal, Subscription } from '../domain';
import { Invoicing, pick } from './invoicing.service';
import type { Which } from './invoicing.service';
import { MoneyIn } from './money-in.service';
import {
  AuditLog,
  CollectionPort,
  CustomerStore,
  InvoiceStore,
  MethodStore,
  SubscriptionStore,
} from './ports';
import { Subscribing } from './subscribing.service';
import type { SubscribingRefusal } from './subscribing.service';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';

export type PaymentRefusal =
  | { readonly code: 'unknown_customer' | 'payment_open' | 'payment_method_missing' | 'retry_forbidden' }
  | { readonly code: 'declined'; readonly declineCode: string }
  | { readonly code: InvoiceRefusal | SubscribingRefusal };
export type PaidOutcome = Result<{ readonly invoice: Invoice; readonly settled: boolean }, PaymentRefusal>;
export type ChangeOutcome = Result<
  { readonly subscription: Subscription; readonly settled: boolean },
  PaymentRefusal
>;

export interface InvoiceAction {
  readonly which: Which;
  /** Null: all that is owed, or all that was captured. */
  readonly amount: Nano | null;
}

/** Settling invoices on request: through the provider, which dunning talks to, or by an operator's word. */
@Injectable()
export class Payments {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly customers: CustomerStore,
    private readonly invoices: InvoiceStore,
    private readonly subscriptions: SubscriptionStore,
    private readonly methods: MethodStore,
    private readonly invoicing: Invoicing,
    private readonly subscribing: Subscribing,
    private readonly moneyIn: MoneyIn,
    private readonly collection: CollectionPort,
    private readonly audit: AuditLog,
  ) {}

  /** Those that the customer, or its payer, pays; null for no such customer. */
  list(caller: Caller, customerKey: string): Promise<readonly Invoice[] | null> {
    return this.sessions.read(caller, async (session) => {
      const customer = await this.customers.byKey(session, customerKey);
      return customer === null ? null : this.invoices.ofPayer(session, payerOf(customer));
    });
  }

  async payNow(
    caller: Caller,
    customerKey: string,
    which: Which,
    through: 'api' | 'hosted',
  ): Promise<PaidOutcome> {
    const found = await this.sessions.read(caller, async (session) => {
      const invoice = await this.pick(session, customerKey, which, isOwed);
      return invoice.ok ? ok(await this.withMethod(session, invoice.value)) : invoice;
    });
    if (!found.ok) return found;
    const answer = await this.ask(caller, found.value, through);
    return this.sessions.change(caller, async (session) => {
      await this.hear(session, found.value.invoice, answer);
      const invoice = (await this.invoices.byId(session, found.value.invoice.id)) ?? found.value.invoice;
      const refusal = refusalOf(answer);
      return refusal === null ? ok({ invoice, settled: !isOwed(invoice) }) : err(refusal);
    });
  }

  /** An upgrade is charged before it takes effect; a refusal leaves the old plan and no invoice. */
  async changePlan(
    caller: Caller,
    customerKey: string,
    request: { readonly plan: string; readonly coupon: string | null; readonly atPeriodEnd: boolean },
  ): Promise<ChangeOutcome> {
    const begun = await this.sessions.change(caller, async (session) => {
      const customer = await this.customers.byKey(session, customerKey);
      if (customer === null) return err({ code: 'unknown_customer' } as const);
      const changed = await this.subscribing.changePlan(session, customer, request);
      if (changed.ok) return ok(await this.awaited(session, changed.value));
      const present = await this.subscriptions.inForce(session, customer.id);
      // The same change asked for again is about the same charge: its answer was lost.
      if (changed.error === 'change_pending' && present?.waiting?.plan.key === request.plan)
        return ok(await this.awaited(session, present));
      return err({ code: changed.error });
    });
    if (!begun.ok) return begun;
    const { subscription, charge } = begun.value;
    return charge === null
      ? ok({ subscription, settled: true })
      : this.chargeChange(caller, subscription, charge);
  }

  /** Money that came another way, or never will. */
  settle(
    caller: Caller,
    customerKey: string,
    { which, amount }: InvoiceAction,
    how: 'external_payment' | 'forgive',
  ): Promise<PaidOutcome> {
    const change = how === 'forgive' ? forgive : payExternally;
    return this.act(caller, customerKey, which, how, isOwed, (session, invoice) =>
      Promise.resolve(change(invoice, amount, session.now)),
    );
  }

  /** Does at once what the final action write_off does. */
  writeOff(caller: Caller, customerKey: string, { which, amount }: InvoiceAction): Promise<PaidOutcome> {
    return this.act(caller, customerKey, which, 'write_off', isOwed, async (session, invoice) => {
      if (amount !== null && amount !== invoice.due) return 'whole_invoice_only';
      const state = await this.subscriptions.inForce(session, invoice.customerId);
      if (state !== null) await this.subscribing.happen(session, state, writeOffAccount(state, session.now));
      // The account's own writing off may have reached this invoice already.
      const present = (await this.invoices.byId(session, invoice.id)) ?? invoice;
      return present.status === 'uncollectible' ? null : writeOff(present);
    });
  }

  /** The provider gives the money back first; only then is it taken off the invoice. */
  async refund(
    caller: Caller,
    customerKey: string,
    { which, amount }: InvoiceAction,
    reopen: boolean,
  ): Promise<PaidOutcome> {
    const captured = (invoice: Invoice) => invoice.captured > 0n;
    const found = await this.sessions.read(caller, (session) =>
      this.pick(session, customerKey, which, captured),
    );
    if (!found.ok) return found.error.code === 'nothing_owed' ? err({ code: 'nothing_captured' }) : found;
    const invoice = found.value;
    if (amount !== null && amount > invoice.captured) return err({ code: 'amount_too_large' });
    const answer = await this.collection.refund({
      tenantId: caller.tenantId,
      invoiceId: invoice.id,
      amount: formatAmount(amount ?? invoice.captured),
      key: `refund ${invoice.id} ${invoice.version}`,
    });
    if (answer.outcome === 'refused') return err({ code: 'nothing_captured' });
    const money = knownAmount(answer.amount);
    const again = invoice.number ?? which;
    return this.act(caller, customerKey, again, 'refund', captured, async (session, present) => {
      const change = refund(present, money, reopen, session.now);
      if (typeof change !== 'string') await this.moneyIn.refunded(session, present.id, money);
      return change;
    });
  }

  private async act(
    caller: Caller,
    customerKey: string,
    which: Which,
    action: string,
    fits: (invoice: Invoice) => boolean,
    decide: (session: Session, invoice: Invoice) => Promise<InvoiceChange | InvoiceRefusal | null>,
  ): Promise<PaidOutcome> {
    return this.sessions.change(caller, async (session) => {
      const found = await this.pick(session, customerKey, which, fits);
      if (!found.ok) return found;
      const change = await decide(session, found.value);
      if (typeof change === 'string') return err({ code: change });
      const invoice =
        change === null
          ? ((await this.invoices.byId(session, found.value.id)) ?? found.value)
          : await this.invoicing.record(session, change);
      await this.audit.record(session, { action: `invoice.${action}`, target: String(invoice.number) });
      if (invoice.due === 0n) await this.moneyIn.settleInvoice(session, invoice);
      return ok({ invoice, settled: invoice.due === 0n });
    });
  }

  private async pick(
    session: Session,
    customerKey: string,
    which: Which,
    fits: (invoice: Invoice) => boolean,
  ): Promise<Result<Invoice, { readonly code: 'unknown_customer' | 'nothing_owed' }>> {
    const customer = await this.customers.byKey(session, customerKey);
    if (customer === null) return err({ code: 'unknown_customer' });
    const invoice = pick(await this.invoices.ofPayer(session, payerOf(customer)), which, fits);
    return invoice === null ? err({ code: 'nothing_owed' }) : ok(invoice);
  }

  private async awaited(session: Session, subscription: Subscription) {
    const waits = subscription.waiting?.until === 'payment';
    const [draft] = waits ? await this.invoices.unpaidOf(session, subscription.id, 'change') : [];
    return { subscription, charge: draft === undefined ? null : await this.withMethod(session, draft) };
  }

  private async chargeChange(
    caller: Caller,
    waiting: Subscription,
    charge: { readonly invoice: Invoice; readonly method: PaymentMethodFacts | null },
  ): Promise<ChangeOutcome> {
    const answer = await this.ask(caller, charge, 'api');
    return this.sessions.change(caller, async (session) => {
      await this.hear(session, charge.invoice, answer);
      const refusal = refusalOf(answer);
      if (refusal !== null && refusal.code !== 'payment_open')
        await this.moneyIn.declined(session, charge.invoice.id, {
          declineCode: refusal.code,
          declineClass: null,
        });
      const subscription = (await this.subscriptions.byId(session, waiting.id)) ?? waiting;
      return refusal === null ? ok({ subscription, settled: answer.outcome === 'succeeded' }) : err(refusal);
    });
  }

  private async withMethod(session: Session, invoice: Invoice) {
    const stored = await this.methods.find(session, invoice.payerId);
    return { invoice, method: stored?.method ?? null };
  }

  private ask(
    { tenantId }: Caller,
    { invoice, method }: { readonly invoice: Invoice; readonly method: PaymentMethodFacts | null },
    through: 'api' | 'hosted',
  ): Promise<PayAnswer> {
    return this.collection.pay({
      tenantId,
      invoiceId: invoice.id,
      invoice: invoiceFacts(invoice),
      method,
      through,
    });
  }

  private async hear(session: Session, { id }: Invoice, answer: PayAnswer): Promise<void> {
    if (answer.outcome === 'succeeded') await this.moneyIn.succeeded(session, id, answer.amount);
    if (answer.outcome === 'declined') await this.moneyIn.declined(session, id, answer);
    if (answer.outcome === 'action_required') await this.moneyIn.actionRequired(session, id);
  }
}

function refusalOf(answer: PayAnswer): PaymentRefusal | null {
  if (answer.outcome === 'declined') return { code: 'declined', declineCode: answer.declineCode };
  return answer.outcome === 'refused' ? { code: answer.code } : null;
}
