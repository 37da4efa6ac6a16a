import { Injectable } from '@nestjs/common';
import { pgInstant, pgInstantOrNull } from '@tallygate/platform';
import { dueAt, hasEnded } from '../domain';
import type { Standing, Subscription } from '../domain';
import { SubscriptionStore } from '../service/ports';
import type { Session } from '../service/tenant-session';
import { fromDocument, toDocument } from './document';

type Row = { body: unknown };

@Injectable()
export class PgSubscriptionStore extends SubscriptionStore {
  override async save({ tx, tenantId }: Session, subscription: Subscription): Promise<void> {
    await tx.query(
      `insert into subscription (tenant_id, id, customer_id, ended, due_at, body) values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant_id, id) do update
         set ended = excluded.ended, due_at = excluded.due_at, body = excluded.body`,
      [
        tenantId,
        subscription.id,
        subscription.customerId,
        hasEnded(subscription),
        pgInstantOrNull(dueAt(subscription)),
        toDocument(subscription),
      ],
    );
  }

  override async inForce({ tx, tenantId }: Session, customerId: string): Promise<Subscription | null> {
    const { rows } = await tx.query<Row>(
      'select body from subscription where tenant_id = $1 and customer_id = $2 and not ended',
      [tenantId, customerId],
    );
    return read(rows);
  }

  override async latest({ tx, tenantId }: Session, customerId: string): Promise<Subscription | null> {
    const { rows } = await tx.query<Row>(
      'select body from subscription where tenant_id = $1 and customer_id = $2 order by ended, id desc limit 1',
      [tenantId, customerId],
    );
    return read(rows);
  }

  override async byId({ tx, tenantId }: Session, id: string): Promise<Subscription | null> {
    const { rows } = await tx.query<Row>('select body from subscription where tenant_id = $1 and id = $2', [
      tenantId,
      id,
    ]);
    return read(rows);
  }

  override async due({ tx, tenantId, now }: Session, limit: number): Promise<readonly Subscription[]> {
    const { rows } = await tx.query<Row>(
      'select body from subscription where tenant_id = $1 and due_at <= $2 order by due_at, id limit $3',
      [tenantId, pgInstant(now), limit],
    );
    return rows.map(({ body }) => fromDocument<Subscription>(body));
  }

  override async standing({ tx, tenantId }: Session, payerId: string): Promise<Standing | null> {
    const { rows } = await tx.query<Row>('select body from standing where tenant_id = $1 and payer_id = $2', [
      tenantId,
      payerId,
    ]);
    return rows[0] === undefined ? null : fromDocument<Standing>(rows[0].body);
  }

  override async saveStanding({ tx, tenantId }: Session, payerId: string, standing: Standing): Promise<void> {
    await tx.query(
      `insert into standing (tenant_id, payer_id, body) values ($1, $2, $3)
       on conflict (tenant_id, payer_id) do update set body = excluded.body`,
      [tenantId, payerId, toDocument(standing)],
    );
  }
}

function read(rows: readonly Row[]): Subscription | null {
  return rows[0] === undefined ? null : fromDocument<Subscription>(rows[0].body);
}
