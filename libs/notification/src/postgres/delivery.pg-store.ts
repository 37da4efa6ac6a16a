import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { pgInstant, pgInstantOrNull } from '@tallygate/platform';
import { type Channel, type Delivery, DeliveryStore } from '../service/ports';
import type { Session } from '../service/session';

interface DeliveryRow {
  readonly delivery_id: string;
  readonly notice_id: string;
  readonly channel: Channel;
  readonly address: string;
  readonly tries: number;
}

@Injectable()
export class PgDeliveryStore extends DeliveryStore {
  override async add(
    { tx, tenantId, now }: Session,
    { id, noticeId, channel, address }: Omit<Delivery, 'tries'>,
  ): Promise<void> {
    const text = `insert into delivery (tenant_id, delivery_id, notice_id, channel, address, due_at) values ($1, $2, $3, $4, $5, $6)`;
    await tx.query({ name: 'delivery_add', text }, [
      tenantId,
      id,
      noticeId,
      channel,
      address,
      pgInstant(now),
    ]);
  }

  override async waiting({ tx, tenantId }: Session, id: string): Promise<Delivery | null> {
    const text = `select delivery_id, notice_id, channel, address, tries from delivery
                  where tenant_id = $1 and delivery_id = $2 and due_at is not null for update`;
    const { rows } = await tx.query<DeliveryRow>({ name: 'delivery_waiting', text }, [tenantId, id]);
    const row = rows[0];
    return row
      ? { id, noticeId: row.notice_id, channel: row.channel, address: row.address, tries: row.tries }
      : null;
  }

  override async delivered({ tx, tenantId, now }: Session, id: string): Promise<void> {
    const text =
      'update delivery set due_at = null, delivered_at = $3, problem = null where tenant_id = $1 and delivery_id = $2';
    await tx.query({ name: 'delivery_delivered', text }, [tenantId, id, pgInstant(now)]);
  }

  override async failed(
    { tx, tenantId }: Session,
    id: string,
    tries: number,
    problem: string,
    nextAt: Instant | null,
  ): Promise<void> {
    const text =
      'update delivery set due_at = $5, tries = $3, problem = $4 where tenant_id = $1 and delivery_id = $2';
    await tx.query({ name: 'delivery_failed', text }, [
      tenantId,
      id,
      tries,
      problem.slice(0, 500),
      pgInstantOrNull(nextAt),
    ]);
  }
}
