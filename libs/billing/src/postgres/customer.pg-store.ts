import { Injectable } from '@nestjs/common';
import type { Customer } from '../domain';
import { CustomerStore } from '../service/ports';
import type { Session } from '../service/tenant-session';

@Injectable()
export class PgCustomerStore extends CustomerStore {
  override async conflicts({ tx, tenantId }: Session, customer: Customer): Promise<readonly string[]> {
    const { rows } = await tx.query<{ taken: string }>(
      `select 'key ' || key as taken from customer where tenant_id = $1 and key = $3 and id <> $2
       union all
       select 'subject ' || subject from customer_subject
        where tenant_id = $1 and customer_id <> $2 and subject = any ($4::text[])
       union all
       select 'API key with hash ' || hash from consumer_key
        where tenant_id = $1 and customer_id <> $2 and hash = any ($5::text[])`,
      [tenantId, customer.id, customer.key, customer.subjects, customer.apiKeys.map(({ hash }) => hash)],
    );
    return rows.map(({ taken }) => taken);
  }

  override async save(session: Session, customer: Customer): Promise<void> {
    await session.tx.query(
      `insert into customer (tenant_id, id, key, payer_id, body) values ($1, $2, $3, $4, $5)
       on conflict (tenant_id, id) do update set payer_id = excluded.payer_id, body = excluded.body`,
      [session.tenantId, customer.id, customer.key, customer.payerId, JSON.stringify(customer)],
    );
    await this.saveNames(session, customer);
  }

  override async byKey({ tx, tenantId }: Session, key: string): Promise<Customer | null> {
    const { rows } = await tx.query<{ body: Customer }>(
      'select body from customer where tenant_id = $1 and key = $2',
      [tenantId, key],
    );
    return rows[0]?.body ?? null;
  }

  override async byId({ tx, tenantId }: Session, id: string): Promise<Customer | null> {
    const { rows } = await tx.query<{ body: Customer }>(
      'select body from customer where tenant_id = $1 and id = $2',
      [tenantId, id],
    );
    return rows[0]?.body ?? null;
  }

  override async list({ tx, tenantId }: Session, after: string, limit: number): Promise<readonly Customer[]> {
    const { rows } = await tx.query<{ body: Customer }>(
      'select body from customer where tenant_id = $1 and key > $2 order by key limit $3',
      [tenantId, after, limit],
    );
    return rows.map(({ body }) => body);
  }

  override async paidBy({ tx, tenantId }: Session, payerId: string): Promise<readonly string[]> {
    const { rows } = await tx.query<{ id: string }>(
      `select id from customer
        where tenant_id = $1 and ((id = $2 and payer_id is null) or payer_id = $2) order by id`,
      [tenantId, payerId],
    );
    return rows.map(({ id }) => id);
  }

  /** Subjects and keys are unique in the tenant; these rows say so, the document says the rest. */
  private async saveNames({ tx, tenantId }: Session, customer: Customer): Promise<void> {
    await tx.query(
      `with gone as (
         delete from customer_subject where tenant_id = $1 and customer_id = $2 and subject <> all ($3::text[])),
       keys_gone as (
         delete from consumer_key where tenant_id = $1 and customer_id = $2 and hash <> all ($4::text[])),
       named as (
         insert into customer_subject (tenant_id, subject, customer_id)
         select $1, subject, $2 from unnest($3::text[]) subject on conflict do nothing)
       insert into consumer_key (tenant_id, hash, customer_id)
       select $1, hash, $2 from unnest($4::text[]) hash on conflict do nothing`,
      [tenantId, customer.id, customer.subjects, customer.apiKeys.map(({ hash }) => hash)],
    );
  }
}
