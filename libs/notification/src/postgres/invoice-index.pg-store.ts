import { Injectable } from '@nestjs/common';
import type { Notice } from '../domain';
import { InvoiceIndex } from '../service/ports';
import type { Session } from '../service/session';

type Known = { number: number; kind: 'subscription' | 'top_up' };

@Injectable()
export class PgInvoiceIndex extends InvoiceIndex {
  override async remember(
    { tx, tenantId }: Session,
    { id, number, kind }: Known & { id: string },
  ): Promise<void> {
    const text = `insert into known_invoice (tenant_id, invoice_id, number, kind) values ($1, $2, $3, $4) on conflict do nothing`;
    await tx.query({ name: 'invoice_remember', text }, [tenantId, id, number, kind]);
  }

  override async find({ tx, tenantId }: Session, invoiceId: string): Promise<Known | null> {
    const text =
      'select number::integer as number, kind from known_invoice where tenant_id = $1 and invoice_id = $2';
    const { rows } = await tx.query<Known>({ name: 'invoice_find', text }, [tenantId, invoiceId]);
    return rows[0] ?? null;
  }

  override async wait({ tx, tenantId }: Session, invoiceId: string, notice: Notice): Promise<void> {
    const text = 'insert into waiting_notice (tenant_id, invoice_id, notice) values ($1, $2, $3)';
    await tx.query({ name: 'notice_wait', text }, [tenantId, invoiceId, notice]);
  }

  override async takeWaiting({ tx, tenantId }: Session, invoiceId: string): Promise<readonly Notice[]> {
    const text = 'delete from waiting_notice where tenant_id = $1 and invoice_id = $2 returning notice';
    const { rows } = await tx.query<{ notice: Notice }>({ name: 'notice_take_waiting', text }, [
      tenantId,
      invoiceId,
    ]);
    return rows.map((row) => row.notice);
  }
}
