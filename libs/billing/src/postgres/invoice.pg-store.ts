import { Injectable } from '@nestjs/common';
import { formatAmount } from '@tallygate/kernel';
import { instantFromPg, instantOrNullFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import { knownAmount } from '../domain';
import type { Invoice, InvoiceLine } from '../domain';
import { InvoiceStore } from '../service/ports';
import type { Session } from '../service/tenant-session';
import { fromDocument, toDocument } from './document';

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly number: number | null;
  readonly customer_id: string;
  readonly payer_id: string;
  readonly kind: Invoice['kind'];
  readonly purpose: Invoice['purpose'];
  readonly status: Invoice['status'];
  readonly currency: string;
  readonly lines: unknown;
  readonly total: string;
  readonly due: string;
  readonly captured: string;
  readonly anchor: string;
  readonly period_start: string | null;
  readonly period_end: string | null;
  readonly subscription_id: string | null;
  readonly top_up_id: string | null;
  readonly dunning_policy: string | null;
  readonly billing_interval: Invoice['interval'];
  readonly opened_at: string;
  readonly settled_at: string | null;
  readonly version: number;
}

const SELECT = 'select * from invoice where tenant_id = $1';

const UPSERT = `
insert into invoice (tenant_id, id, number, customer_id, payer_id, kind, purpose, status, currency, lines, total, due,
  captured, anchor, period_start, period_end, subscription_id, top_up_id, dunning_policy, billing_interval, opened_at,
  settled_at, version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
on conflict (tenant_id, id) do update set number = excluded.number, status = excluded.status, due = excluded.due,
  captured = excluded.captured, settled_at = excluded.settled_at, version = excluded.version`;

@Injectable()
export class PgInvoiceStore extends InvoiceStore {
  override async save({ tx, tenantId }: Session, invoice: Invoice): Promise<void> {
    await tx.query({ name: 'billing-invoice-save', text: UPSERT }, [
      tenantId,
      invoice.id,
      invoice.number,
      invoice.customerId,
      invoice.payerId,
      invoice.kind,
      invoice.purpose,
      invoice.status,
      invoice.currency,
      toDocument(invoice.lines),
      formatAmount(invoice.total),
      formatAmount(invoice.due),
      formatAmount(invoice.captured),
      pgInstant(invoice.anchor),
      pgInstantOrNull(invoice.periodStart),
      pgInstantOrNull(invoice.periodEnd),
      invoice.subscriptionId,
      invoice.topUpId,
      invoice.dunningPolicy,
      invoice.interval,
      pgInstant(invoice.openedAt),
      pgInstantOrNull(invoice.settledAt),
      invoice.version,
    ]);
  }

  override async byId({ tx, tenantId }: Session, id: string): Promise<Invoice | null> {
    const { rows } = await tx.query<Row>(`${SELECT} and id = $2`, [tenantId, id]);
    return rows[0] === undefined ? null : fromRow(rows[0]);
  }

  override async ofPayer({ tx, tenantId }: Session, payerId: string): Promise<readonly Invoice[]> {
    const { rows } = await tx.query<Row>(
      `${SELECT} and payer_id = $2 and number is not null order by number`,
      [tenantId, payerId],
    );
    return rows.map(fromRow);
  }

  override async unpaidOf(
    { tx, tenantId }: Session,
    subscriptionId: string,
    purpose: Invoice['purpose'],
  ): Promise<readonly Invoice[]> {
    const { rows } = await tx.query<Row>(
      `${SELECT} and subscription_id = $2 and purpose = $3 and status in ('draft', 'open') order by id`,
      [tenantId, subscriptionId, purpose],
    );
    return rows.map(fromRow);
  }
}

function fromRow(row: Row): Invoice {
  return {
    id: row.id,
    number: row.number,
    customerId: row.customer_id,
    payerId: row.payer_id,
    kind: row.kind,
    purpose: row.purpose,
    status: row.status,
    currency: row.currency,
    lines: fromDocument<InvoiceLine[]>(row.lines),
    total: knownAmount(row.total),
    due: knownAmount(row.due),
    captured: knownAmount(row.captured),
    anchor: instantFromPg(row.anchor),
    periodStart: instantOrNullFromPg(row.period_start),
    periodEnd: instantOrNullFromPg(row.period_end),
    subscriptionId: row.subscription_id,
    topUpId: row.top_up_id,
    dunningPolicy: row.dunning_policy,
    interval: row.billing_interval,
    openedAt: instantFromPg(row.opened_at),
    settledAt: instantOrNullFromPg(row.settled_at),
    version: row.version,
  };
}
