import type { InvoiceFacts } from '@tallygate/contracts';
import { invariant } from '@tallygate/kernel';
import type { Instant, Interval, Nano } from '@tallygate/kernel';
import type { ChargePurpose, InvoiceLine } from './charge';

/** What is owed, or was. A top-up's is never dunned. */
export interface Invoice {
  readonly id: string;
  /** Gapless per tenant; null while a draft, which nobody owes. */
  readonly number: number | null;
  readonly customerId: string;
  readonly payerId: string;
  readonly kind: 'subscription' | 'top_up';
  readonly purpose: ChargePurpose | 'top_up';
  readonly status: InvoiceFacts['status'];
  readonly currency: string;
  readonly lines: readonly InvoiceLine[];
  readonly total: Nano;
  readonly due: Nano;
  /** Captured and not given back. */
  readonly captured: Nano;
  readonly anchor: Instant;
  readonly periodStart: Instant | null;
  readonly periodEnd: Instant | null;
  readonly subscriptionId: string | null;
  readonly topUpId: string | null;
  readonly dunningPolicy: string | null;
  readonly interval: Interval | null;
  readonly openedAt: Instant;
  readonly settledAt: Instant | null;
  readonly version: number;
}

export type InvoiceCause =
  'opened' | 'paid' | 'voided' | 'refunded' | 'forgiven' | 'reopened' | 'written_off';

/** An invoice after something happened to it, and what to call that. */
export interface InvoiceChange {
  readonly invoice: Invoice;
  readonly cause: InvoiceCause;
}

export type InvoiceRefusal = 'nothing_owed' | 'nothing_captured' | 'amount_too_large' | 'whole_invoice_only';

/** Somebody owes it: it may be paid, forgiven or written off. */
export function isOwed(invoice: Invoice): boolean {
  return invoice.due > 0n && (invoice.status === 'open' || invoice.status === 'uncollectible');
}

/**
 * A capture arrived. Null when the invoice did not wait for one: paid already, forgiven or void; who captured gives the
 * money back. A draft becomes an invoice by being paid.
 */
export function capture(invoice: Invoice, amount: Nano, at: Instant): InvoiceChange | null {
  const waits = isOwed(invoice) || invoice.status === 'draft';
  if (!waits) return null;
  return {
    invoice: { ...invoice, status: 'paid', due: 0n, captured: invoice.captured + amount, settledAt: at },
    cause: 'paid',
  };
}

/** Money that came another way; less than all leaves the rest owed. */
export function payExternally(
  invoice: Invoice,
  amount: Nano | null,
  at: Instant,
): InvoiceChange | InvoiceRefusal {
  if (!isOwed(invoice)) return 'nothing_owed';
  const due = invoice.due - (amount ?? invoice.due);
  if (due < 0n) return 'amount_too_large';
  if (due > 0n) return { invoice: { ...invoice, due }, cause: 'opened' };
  return { invoice: { ...invoice, status: 'paid', due: 0n, settledAt: at }, cause: 'paid' };
}

/** Forgiving all of it closes it unpaid; a part is taken off what is owed. */
export function forgive(invoice: Invoice, amount: Nano | null, at: Instant): InvoiceChange | InvoiceRefusal {
  if (!isOwed(invoice)) return 'nothing_owed';
  const due = invoice.due - (amount ?? invoice.due);
  if (due < 0n) return 'amount_too_large';
  if (due > 0n) return { invoice: { ...invoice, due }, cause: 'forgiven' };
  return { invoice: { ...invoice, status: 'void', due: 0n, settledAt: at }, cause: 'forgiven' };
}

/** Still owed and payable by link, no longer expected. */
export function writeOff(invoice: Invoice): InvoiceChange | InvoiceRefusal {
  if (!isOwed(invoice)) return 'nothing_owed';
  return { invoice: { ...invoice, status: 'uncollectible' }, cause: 'written_off' };
}

/** It never came to be. */
export function voidInvoice(invoice: Invoice, at: Instant): InvoiceChange | null {
  if (invoice.status !== 'open' && invoice.status !== 'draft') return null;
  return { invoice: { ...invoice, status: 'void', due: 0n, settledAt: at }, cause: 'voided' };
}

/** A refund settles: nothing is owed, unless `reopen` makes it owed again at its original age. */
export function refund(
  invoice: Invoice,
  amount: Nano,
  reopen: boolean,
  at: Instant,
): InvoiceChange | InvoiceRefusal {
  if (invoice.captured === 0n) return 'nothing_captured';
  if (amount > invoice.captured) return 'amount_too_large';
  const captured = invoice.captured - amount;
  if (reopen)
    return {
      invoice: { ...invoice, status: 'open', captured, due: invoice.due + amount, settledAt: null },
      cause: 'reopened',
    };
  // What an earlier refund made owed again stays owed.
  const settles = captured === 0n && invoice.due === 0n;
  const changed = { ...invoice, captured, settledAt: isOwed(invoice) ? null : at };
  return { invoice: settles ? { ...changed, status: 'refunded' } : changed, cause: 'refunded' };
}

export function invoiceIsSound(invoice: Invoice): void {
  invariant(
    invoice.due >= 0n && invoice.due <= invoice.total,
    'An invoice owes between nothing and its total',
  );
  invariant(
    invoice.status === 'draft' || invoice.status === 'void' || invoice.number !== null,
    'What is owed or paid has a number',
  );
  invariant(isOwed(invoice) || invoice.status === 'draft' || invoice.due === 0n, 'Settled owes nothing');
}
