import { Injectable } from '@nestjs/common';
import type { Catalog, PayAnswer } from '@tallygate/contracts';
import { err, Ids, multiplyHalfEven, ok, roundToMinor } from '@tallygate/kernel';
import type { Instant, Nano, Result } from '@tallygate/kernel';
import { inForce, invoiceFacts, isCurrency, knownAmount } from '../domain';
import type { Customer, Invoice, TopUp } from '../domain';
import { Invoicing } from './invoicing.service';
import { MoneyIn } from './money-in.service';
import {
  AuditLog,
  CatalogStore,
  CollectionPort,
  CustomerStore,
  InvoiceStore,
  MethodStore,
  TopUpStore,
} from './ports';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';

export interface TopUpRequest {
  readonly unit: string;
  readonly amount: Nano;
  readonly key: string;
  readonly auto?: boolean;
}

export type TopUpRefusal = 'unknown_customer' | 'key_reused' | 'not_payable' | 'account_closed';
export type TopUpOutcome = Result<{ readonly topUp: TopUp; readonly invoice: Invoice }, TopUpRefusal>;

/**
 * Credit for money: an invoice of its own, charged at once. The row with the caller's key is stored before the charge,
 * so a repeat, after a crash too, asks about the same purchase and never makes a second one.
 */
@Injectable()
export class TopUps {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly topUps: TopUpStore,
    private readonly customers: CustomerStore,
    private readonly catalogs: CatalogStore,
    private readonly invoices: InvoiceStore,
    private readonly methods: MethodStore,
    private readonly invoicing: Invoicing,
    private readonly moneyIn: MoneyIn,
    private readonly collection: CollectionPort,
    private readonly audit: AuditLog,
    private readonly ids: Ids,
  ) {}

  async buy(caller: Caller, customerKey: string, request: TopUpRequest): Promise<TopUpOutcome> {
    const opened = await this.sessions.change(caller, (session) => this.open(session, customerKey, request));
    if (!opened.ok || opened.value.topUp.status !== 'pending') return opened;
    return this.charge(caller, opened.value);
  }

  /** Opens a purchase inside a session of somebody else's; the charge follows after its commit. */
  async open(session: Session, customerKey: string, request: TopUpRequest): Promise<TopUpOutcome> {
    const customer = await this.customers.byKey(session, customerKey);
    if (customer === null) return err('unknown_customer');
    const before = await this.topUps.byKey(session, request.key);
    if (before !== null) return this.repeated(session, customer, before, request);
    const { catalog } = await this.catalogs.load(session);
    const price = priceOf(catalog, request, customer.currency, session.now);
    if (price === null) return err('not_payable');
    return this.openNew(session, customer, request, price);
  }

  async charge(
    caller: Caller,
    { topUp, invoice }: { topUp: TopUp; invoice: Invoice },
  ): Promise<TopUpOutcome> {
    const method = await this.sessions.read(caller, (session) => this.methods.find(session, invoice.payerId));
    const answer = await this.collection.pay({
      tenantId: caller.tenantId,
      invoiceId: invoice.id,
      invoice: invoiceFacts(invoice),
      method: method?.method ?? null,
      // Without a stored method the customer pays on the provider's own page.
      through: method?.method ? 'api' : 'hosted',
    });
    return this.sessions.change(caller, async (session) => {
      await this.hear(session, invoice.id, answer);
      return this.present(session, topUp);
    });
  }

  private async openNew(
    session: Session,
    customer: Customer,
    request: TopUpRequest,
    price: { readonly currency: string; readonly total: Nano },
  ): Promise<TopUpOutcome> {
    const id = this.ids.next();
    const description = `Credit, ${request.unit}`;
    const invoice = await this.invoicing.openTopUp(session, customer, { topUpId: id, description, ...price });
    const topUp: TopUp = {
      id,
      customerId: customer.id,
      key: request.key,
      unit: request.unit,
      amount: request.amount,
      status: 'pending',
      invoiceId: invoice.id,
      declineCode: null,
      auto: request.auto === true,
      refunded: 0n,
      disputed: 0n,
      dispute: null,
      reversals: 0,
      createdAt: session.now,
      paidAt: null,
    };
    await this.topUps.save(session, topUp);
    await this.audit.record(session, {
      action: 'top_up.requested',
      target: customer.key,
      detail: { key: topUp.key },
    });
    return ok({ topUp, invoice });
  }

  private async repeated(
    session: Session,
    customer: Customer,
    before: TopUp,
    { unit, amount }: TopUpRequest,
  ): Promise<TopUpOutcome> {
    const same = before.customerId === customer.id && before.unit === unit && before.amount === amount;
    return same ? this.present(session, before) : err('key_reused');
  }

  private async present(session: Session, known: TopUp): Promise<TopUpOutcome> {
    const invoice = await this.invoices.byId(session, known.invoiceId);
    const topUp = await this.topUps.byId(session, known.id);
    return invoice === null || topUp === null ? err('unknown_customer') : ok({ topUp, invoice });
  }

  /** The answer moves the invoice as its fact would; whichever is first does. */
  private async hear(session: Session, invoiceId: string, answer: PayAnswer): Promise<void> {
    if (answer.outcome === 'succeeded') await this.moneyIn.succeeded(session, invoiceId, answer.amount);
    if (answer.outcome === 'declined') await this.moneyIn.declined(session, invoiceId, answer);
    if (answer.outcome === 'refused' && answer.code === 'retry_forbidden')
      await this.moneyIn.declined(session, invoiceId, { declineCode: answer.code, declineClass: null });
  }
}

/**
 * What a top-up costs. A currency costs itself, in whole minor units. A credit unit costs what the catalog's price of
 * that very key says (a per_unit row in a currency), else one unit of the customer's currency each.
 */
export function priceOf(
  catalog: Catalog,
  { unit, amount }: Pick<TopUpRequest, 'unit' | 'amount'>,
  currency: string,
  now: Instant,
): { readonly currency: string; readonly total: Nano } | null {
  if (isCurrency(unit)) {
    const exact = roundToMinor(amount, unit).remainder === 0n;
    return exact ? { currency: unit, total: amount } : null;
  }
  const rows = catalog.prices.filter(
    (row) => row.key === unit && row.model === 'per_unit' && isCurrency(row.unit),
  );
  const row = inForce(rows, now);
  const sold = row?.unit ?? currency;
  const cost = multiplyHalfEven(amount, knownAmount(row?.amount ?? '1'));
  const { rounded } = roundToMinor(cost, sold);
  return rounded > 0n ? { currency: sold, total: rounded } : null;
}
