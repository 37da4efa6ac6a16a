import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { Campaign, CollectedInvoice, Invoice } from '../domain';
import { InvoiceStore } from '../service/ports';
import type { Session } from '../service/session';
import { invoiceOf, pgNano } from './invoice-row';
import type { InvoiceRow } from './invoice-row';
import * as sql from './sql/invoices';

@Injectable()
export class PgInvoiceStore extends InvoiceStore {
  override async find({ tx, tenantId }: Session, invoiceId: string): Promise<CollectedInvoice | null> {
    const { rows } = await tx.query<InvoiceRow>(sql.findInvoice, [tenantId, invoiceId]);
    return rows[0] === undefined ? null : invoiceOf(rows[0]);
  }

  override async apply({ tx, tenantId }: Session, invoice: Invoice): Promise<boolean> {
    const { id, number, customerId, payerId, kind, currency, total, due, anchor, status } = invoice;
    const { rowCount } = await tx.query(sql.applyInvoice, [
      tenantId,
      id,
      number,
      customerId,
      payerId,
      kind,
      currency,
      pgNano(total),
      pgNano(due),
      pgInstant(anchor),
      status,
      invoice.policyKey,
      invoice.interval,
      invoice.version,
    ]);
    return rowCount === 1;
  }

  override async saveCampaign(
    { tx, tenantId }: Session,
    invoiceId: string,
    campaign: Campaign,
  ): Promise<void> {
    await tx.query(sql.saveCampaign, [
      tenantId,
      invoiceId,
      pgInstantOrNull(campaign.failedAt),
      campaign.declines,
      campaign.lastClass,
      pgInstantOrNull(campaign.tryAt),
      pgInstantOrNull(campaign.outageSince),
      campaign.outageTries,
      campaign.methodMissingReported,
      campaign.byLinkOnly,
      campaign.finished,
      campaign.capturedBy,
      campaign.disputed,
      campaign.refusals,
    ]);
  }

  override async unsettled({ tx, tenantId }: Session, payerId: string): Promise<readonly CollectedInvoice[]> {
    const { rows } = await tx.query<InvoiceRow>(sql.unsettledInvoices, [tenantId, payerId]);
    return rows.map(invoiceOf);
  }

  override async nextDue({ tx, tenantId, now }: Session, payerId: string): Promise<CollectedInvoice | null> {
    const { rows } = await tx.query<InvoiceRow>(sql.nextDueInvoice, [tenantId, payerId, pgInstant(now)]);
    return rows[0] === undefined ? null : invoiceOf(rows[0]);
  }

  override async hasYounger({ tx, tenantId }: Session, payerId: string, than: Instant): Promise<boolean> {
    const { rows } = await tx.query(sql.youngerInvoice, [tenantId, payerId, pgInstant(than)]);
    return rows.length > 0;
  }

  override async anyDisputed({ tx, tenantId }: Session, payerId: string): Promise<boolean> {
    const { rows } = await tx.query(sql.disputedInvoice, [tenantId, payerId]);
    return rows.length > 0;
  }
}
