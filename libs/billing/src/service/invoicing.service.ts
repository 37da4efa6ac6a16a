import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import type { Nano } from '@tallygate/kernel';
import { invoiceIsSound, isOwed, payerOf, voidInvoice, writeOff } from '../domain';
import type { Charge, Customer, Invoice, InvoiceChange, Subscription } from '../domain';
import { BillingFacts } from './billing-facts';
import { CustomerStore, InvoiceStore, TenantStore } from './ports';
import type { Session } from './tenant-session';

export type Which = 'oldest' | 'newest' | number;

/** Writes invoices, and says what became of them. */
@Injectable()
export class Invoicing {
  constructor(
    private readonly invoices: InvoiceStore,
    private readonly customers: CustomerStore,
    private readonly tenants: TenantStore,
    private readonly facts: BillingFacts,
    private readonly ids: Ids,
  ) {}

  /** An invoice of nothing is not written. A change's is a draft: paid, or it never was. */
  async open(session: Session, subscription: Subscription, charge: Charge): Promise<Invoice | null> {
    if (charge.total === 0n) return null;
    const { customerId, plan } = subscription;
    const customer = await this.customers.byId(session, customerId);
    const draft = charge.purpose === 'change';
    return this.write(session, {
      ...this.blank(session, customerId, customer === null ? customerId : payerOf(customer), charge.total),
      kind: 'subscription',
      purpose: charge.purpose,
      status: draft ? 'draft' : 'open',
      number: draft ? null : await this.tenants.nextInvoiceNumber(session),
      currency: charge.currency,
      lines: charge.lines,
      anchor: charge.anchor,
      periodStart: charge.periodStart,
      periodEnd: charge.periodEnd,
      subscriptionId: subscription.id,
      dunningPolicy: plan.terms.dunning ?? null,
      interval: plan.terms.interval,
    });
  }

  async openTopUp(
    session: Session,
    customer: Customer,
    { topUpId, description, currency, total }: TopUpCharge,
  ): Promise<Invoice> {
    return this.write(session, {
      ...this.blank(session, customer.id, payerOf(customer), total),
      kind: 'top_up',
      purpose: 'top_up',
      number: await this.tenants.nextInvoiceNumber(session),
      currency,
      lines: [{ description, amount: total }],
      topUpId,
    });
  }

  /** Stores and states a change that a domain function made. */
  async record(session: Session, change: InvoiceChange): Promise<Invoice> {
    const numbered = await this.numbered(session, change.invoice);
    const invoice = { ...numbered, version: numbered.version + 1 };
    invoiceIsSound(invoice);
    await this.invoices.save(session, invoice);
    await this.facts.invoice(session, { ...change, invoice });
    return invoice;
  }

  /** Voids what a subscription no longer asks for. */
  async withdraw(session: Session, subscriptionId: string, purpose: Charge['purpose']): Promise<void> {
    for (const invoice of await this.invoices.unpaidOf(session, subscriptionId, purpose)) {
      const change = voidInvoice(invoice, session.now);
      if (change !== null) await this.record(session, change);
    }
  }

  async writeOffAll(session: Session, payerId: string): Promise<void> {
    for (const invoice of await this.invoices.ofPayer(session, payerId)) {
      if (invoice.kind !== 'subscription') continue;
      const change = writeOff(invoice);
      if (typeof change !== 'string') await this.record(session, change);
    }
  }

  async owesNothing(session: Session, payerId: string): Promise<boolean> {
    const all = await this.invoices.ofPayer(session, payerId);
    return !all.some((invoice) => invoice.kind === 'subscription' && isOwed(invoice));
  }

  /** Paying a draft makes it an invoice, and only then does it take a number. */
  private async numbered(session: Session, invoice: Invoice): Promise<Invoice> {
    if (invoice.number !== null || invoice.status !== 'paid') return invoice;
    return { ...invoice, number: await this.tenants.nextInvoiceNumber(session) };
  }

  private blank({ now }: Session, customerId: string, payerId: string, total: Nano) {
    return {
      id: this.ids.next(),
      customerId,
      payerId,
      status: 'open' as const,
      total,
      due: total,
      captured: 0n,
      anchor: now,
      periodStart: null,
      periodEnd: null,
      subscriptionId: null,
      topUpId: null,
      dunningPolicy: null,
      interval: null,
      openedAt: now,
      settledAt: null,
      version: 1,
    };
  }

  private async write(session: Session, invoice: Invoice): Promise<Invoice> {
    invoiceIsSound(invoice);
    await this.invoices.save(session, invoice);
    await this.facts.invoice(session, { invoice, cause: 'opened' });
    return invoice;
  }
}

export interface TopUpCharge {
  readonly topUpId: string;
  readonly description: string;
  readonly currency: string;
  readonly total: Nano;
}

/** The invoice that `which` names among those that `fits` lets through, in order of number. */
export function pick(
  invoices: readonly Invoice[],
  which: Which,
  fits: (invoice: Invoice) => boolean,
): Invoice | null {
  const fitting = invoices.filter(fits);
  if (which === 'oldest') return fitting[0] ?? null;
  if (which === 'newest') return fitting.at(-1) ?? null;
  return fitting.find(({ number }) => number === which) ?? null;
}
