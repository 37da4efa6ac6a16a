import { Injectable } from '@nestjs/common';
import { pgInstant, pgInstantOrNull } from '@tallygate/platform';
import { NO_FLAGS } from '../domain';
import type { Flags, StoredMethod } from '../domain';
import { FlagStore, MethodStore } from '../service/ports';
import type { Session } from '../service/tenant-session';
import { fromDocument, toDocument } from './document';

@Injectable()
export class PgMethodStore extends MethodStore {
  override async find({ tx, tenantId }: Session, customerId: string): Promise<StoredMethod | null> {
    const { rows } = await tx.query<{ version: number; body: StoredMethod['method'] }>(
      'select version, body from payment_method where tenant_id = $1 and customer_id = $2',
      [tenantId, customerId],
    );
    return rows[0] === undefined ? null : { version: rows[0].version, method: rows[0].body };
  }

  override async save({ tx, tenantId }: Session, customerId: string, stored: StoredMethod): Promise<void> {
    await tx.query(
      `insert into payment_method (tenant_id, customer_id, version, body) values ($1, $2, $3, $4)
       on conflict (tenant_id, customer_id) do update set version = excluded.version, body = excluded.body`,
      [tenantId, customerId, stored.version, stored.method === null ? null : JSON.stringify(stored.method)],
    );
  }
}

@Injectable()
export class PgFlagStore extends FlagStore {
  override async find({ tx, tenantId }: Session, customerId: string): Promise<Flags> {
    const { rows } = await tx.query<{ body: unknown }>(
      'select body from customer_flags where tenant_id = $1 and customer_id = $2',
      [tenantId, customerId],
    );
    return rows[0] === undefined ? NO_FLAGS : fromDocument<Flags>(rows[0].body);
  }

  override async save({ tx, tenantId }: Session, customerId: string, flags: Flags): Promise<void> {
    await tx.query(
      `insert into customer_flags (tenant_id, customer_id, override_until, body) values ($1, $2, $3, $4)
       on conflict (tenant_id, customer_id) do update
         set override_until = excluded.override_until, body = excluded.body`,
      [tenantId, customerId, pgInstantOrNull(flags.override?.until ?? null), toDocument(flags)],
    );
  }

  override async due({ tx, tenantId, now }: Session, limit: number): Promise<readonly string[]> {
    const { rows } = await tx.query<{ customer_id: string }>(
      `select customer_id from customer_flags where tenant_id = $1 and override_until <= $2
        order by override_until, customer_id limit $3`,
      [tenantId, pgInstant(now), limit],
    );
    return rows.map((row) => row.customer_id);
  }
}
