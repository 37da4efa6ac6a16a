import { Injectable } from '@nestjs/common';
import { formatAmount } from '@tallygate/kernel';
import { instantFromPg, instantOrNullFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import { knownAmount } from '../domain';
import type { TopUp } from '../domain';
import { TopUpStore } from '../service/ports';
import type { Session } from '../service/tenant-session';

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly customer_id: string;
  readonly key: string;
  readonly unit: string;
  readonly amount: string;
  readonly status: TopUp['status'];
  readonly invoice_id: string;
  readonly decline_code: string | null;
  readonly auto: boolean;
  readonly refunded: string;
  readonly disputed: string;
  readonly dispute: TopUp['dispute'];
  readonly reversals: number;
  readonly created_at: string;
  readonly paid_at: string | null;
}

@Injectable()
export class PgTopUpStore extends TopUpStore {
  override async save({ tx, tenantId }: Session, topUp: TopUp): Promise<void> {
    await tx.query(
      `insert into top_up (tenant_id, id, customer_id, key, unit, amount, status, invoice_id, decline_code, auto,
         created_at, paid_at, refunded, disputed, dispute, reversals)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
       on conflict (tenant_id, id) do update
         set status = excluded.status, decline_code = excluded.decline_code, paid_at = excluded.paid_at,
             refunded = excluded.refunded, disputed = excluded.disputed, dispute = excluded.dispute,
             reversals = excluded.reversals`,
      [
        tenantId,
        topUp.id,
        topUp.customerId,
        topUp.key,
        topUp.unit,
        formatAmount(topUp.amount),
        topUp.status,
        topUp.invoiceId,
        topUp.declineCode,
        topUp.auto,
        pgInstant(topUp.createdAt),
        pgInstantOrNull(topUp.paidAt),
        formatAmount(topUp.refunded),
        formatAmount(topUp.disputed),
        topUp.dispute,
        topUp.reversals,
      ],
    );
  }

  override async byKey({ tx, tenantId }: Session, key: string): Promise<TopUp | null> {
    const { rows } = await tx.query<Row>('select * from top_up where tenant_id = $1 and key = $2', [
      tenantId,
      key,
    ]);
    return rows[0] === undefined ? null : fromRow(rows[0]);
  }

  override async byId({ tx, tenantId }: Session, id: string): Promise<TopUp | null> {
    const { rows } = await tx.query<Row>('select * from top_up where tenant_id = $1 and id = $2', [
      tenantId,
      id,
    ]);
    return rows[0] === undefined ? null : fromRow(rows[0]);
  }
}

function fromRow(row: Row): TopUp {
  return {
    id: row.id,
    customerId: row.customer_id,
    key: row.key,
    unit: row.unit,
    amount: knownAmount(row.amount),
    status: row.status,
    invoiceId: row.invoice_id,
    declineCode: row.decline_code,
    auto: row.auto,
    refunded: knownAmount(row.refunded),
    disputed: knownAmount(row.disputed),
    dispute: row.dispute,
    reversals: row.reversals,
    createdAt: instantFromPg(row.created_at),
    paidAt: instantOrNullFromPg(row.paid_at),
  };
}
