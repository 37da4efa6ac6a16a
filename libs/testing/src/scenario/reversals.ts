import type { z } from 'zod';
import type { VERBS } from './format';
import { type Answer, type Session, given } from './session';

interface Paid {
  readonly id: string;
  readonly number: number | null;
  readonly status: string;
}
interface Captured {
  readonly charge: string;
  readonly invoice: string;
  readonly dispute: string | null;
  readonly captured_at: string | null;
}
type Which = 'oldest' | 'newest' | number;
interface Target {
  readonly customer: string;
  readonly invoice?: Which | undefined;
  readonly top_up?: string | undefined;
}

/** Money given back by the operator. */
export async function refundPayment(session: Session, args: z.output<typeof VERBS.refund>): Promise<Answer> {
  const { customer, amount, reopen } = args;
  const invoice = await paidInvoice(session, args, await capturesOf(session, customer));
  const path = `/v1/customers/${encodeURIComponent(customer)}/invoices/${invoice?.number ?? args.invoice ?? 'oldest'}/refund`;
  return session.change('billing', 'POST', path, given({ amount, reopen }));
}

/** Money taken back through the bank: the provider is told, and tells by webhook. */
export async function chargeBack(session: Session, args: z.output<typeof VERBS.chargeback>): Promise<Answer> {
  const captures = await capturesOf(session, args.customer);
  const invoice = await paidInvoice(session, args, captures);
  const capture = captures.findLast((one) => one.invoice === invoice?.id);
  if (!capture) return { status: 404, code: 'nothing_captured', body: null, headers: {} };
  const { amount, state } = args;
  return session.sandbox('POST', '/control/dispute', given({ charge: capture.charge, amount, state }));
}

async function capturesOf(session: Session, customer: string): Promise<readonly Captured[]> {
  const query = new URLSearchParams({ tenant: session.tenantId, customer });
  const answer = await session.sandbox('GET', `/control/charges?${query.toString()}`);
  const charges = (answer.body?.['list'] ?? []) as Captured[];
  return charges.filter((charge) => charge.captured_at !== null);
}

/** Among paid invoices, disputed ones included: a subscription's by age or number, a top-up's by its key. */
async function paidInvoice(
  session: Session,
  { customer, invoice = 'oldest', top_up: topUp }: Target,
  captures: readonly Captured[],
): Promise<Paid | undefined> {
  const answer = await session.call('billing', `/v1/customers/${encodeURIComponent(customer)}/invoices`);
  const disputed = new Set(captures.filter((one) => one.dispute === 'open').map((one) => one.invoice));
  const all = (answer.body?.['invoices'] ?? []) as Paid[];
  const paid = all.filter(({ id, status }) => status === 'paid' || disputed.has(id));
  if (topUp !== undefined) return paid.find(({ id }) => id === session.topUpInvoices.get(topUp));
  if (typeof invoice === 'number') return paid.find(({ number }) => number === invoice);
  return invoice === 'oldest' ? paid[0] : paid.at(-1);
}
