import { Injectable } from '@nestjs/common';
import { instantOrNullFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import { ProviderEventStore, RefundStore } from '../service/ports';
import type { Refund } from '../service/ports';
import type { Session } from '../service/session';
import { nanoFromPg, pgNano } from './invoice-row';

interface RefundRow {
  readonly refund_key: string;
  readonly attempt_id: string;
  readonly amount: string;
  readonly tries: number;
  readonly due_at: string | null;
}

@Injectable()
export class PgRefundStore extends RefundStore {
  override async claim(session: Session, refund: Refund): Promise<Refund | null> {
    const { rowCount } = await session.tx.query(
      `insert into refund (tenant_id, refund_key, attempt_id, amount, due_at) values ($1, $2, $3, $4::numeric, $5::timestamptz)
       on conflict (tenant_id, refund_key) do nothing`,
      [session.tenantId, refund.key, refund.attemptId, pgNano(refund.amount), pgInstantOrNull(refund.dueAt)],
    );
    return rowCount === 1 ? null : this.find(session, refund.key);
  }

  override async find({ tx, tenantId }: Session, key: string): Promise<Refund | null> {
    const { rows } = await tx.query<RefundRow>(
      'select refund_key, attempt_id, amount, tries, due_at from refund where tenant_id = $1 and refund_key = $2',
      [tenantId, key],
    );
    const row = rows[0];
    if (row === undefined) return null;
    return {
      key: row.refund_key,
      attemptId: row.attempt_id,
      amount: nanoFromPg(row.amount),
      tries: row.tries,
      dueAt: instantOrNullFromPg(row.due_at),
    };
  }

  override async save({ tx, tenantId }: Session, { key, tries, dueAt }: Refund): Promise<void> {
    await tx.query(
      'update refund set tries = $3, due_at = $4::timestamptz where tenant_id = $1 and refund_key = $2',
      [tenantId, key, tries, pgInstantOrNull(dueAt)],
    );
  }
}

@Injectable()
export class PgProviderEventStore extends ProviderEventStore {
  override async claim({ tx, tenantId, now }: Session, provider: string, eventId: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      `insert into provider_event (tenant_id, provider, event_id, received_at) values ($1, $2, $3, $4::timestamptz)
       on conflict do nothing`,
      [tenantId, provider, eventId, pgInstant(now)],
    );
    return rowCount === 1;
  }
}
