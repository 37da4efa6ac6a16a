import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { AutoTopUp, KnownBalance } from '../domain';
import { AutoTopUpStore } from '../service/ports';
import type { BalanceStatement } from '../service/ports';
import type { Session } from '../service/tenant-session';
import { fromDocument, toDocument } from './document';

/**
 * One statement for a slice of ledger facts. A wallet may be stated several times in a slice: only its newest counts.
 * Rules of wallets that changed become due now; most wallets have none.
 */
const HEAR = `
with stated as (
  select distinct on (tenant_id, customer_id, unit) *
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::jsonb[], $6::timestamptz[])
         as s (tenant_id, customer_id, unit, version, segments, now)
   order by tenant_id, customer_id, unit, version desc
), kept as (
  insert into wallet_balance as b (tenant_id, customer_id, unit, version, segments)
  select tenant_id, customer_id, unit, version, segments from stated
  on conflict (tenant_id, customer_id, unit) do update
    set version = excluded.version, segments = excluded.segments
    where b.version < excluded.version
  returning tenant_id, customer_id, unit
)
update auto_top_up r set due_at = s.now
  from kept k join stated s using (tenant_id, customer_id, unit)
 where r.tenant_id = k.tenant_id and r.customer_id = k.customer_id and r.unit = k.unit`;

@Injectable()
export class PgAutoTopUpStore extends AutoTopUpStore {
  constructor(private readonly database: Database) {
    super();
  }

  override async find(
    { tx, tenantId }: Session,
    customerId: string,
    unit: string,
  ): Promise<AutoTopUp | null> {
    const { rows } = await tx.query<{ body: unknown }>(
      'select body from auto_top_up where tenant_id = $1 and customer_id = $2 and unit = $3',
      [tenantId, customerId, unit],
    );
    return rows[0] === undefined ? null : fromDocument<AutoTopUp>(rows[0].body);
  }

  override async save({ tx, tenantId }: Session, rule: AutoTopUp, lookAt: Instant | null): Promise<void> {
    await tx.query(
      `insert into auto_top_up (tenant_id, customer_id, unit, due_at, body) values ($1, $2, $3, $4, $5)
       on conflict (tenant_id, customer_id, unit) do update set due_at = excluded.due_at, body = excluded.body`,
      [tenantId, rule.customerId, rule.unit, pgInstantOrNull(lookAt), toDocument(rule)],
    );
  }

  override async remove({ tx, tenantId }: Session, customerId: string, unit: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      'delete from auto_top_up where tenant_id = $1 and customer_id = $2 and unit = $3',
      [tenantId, customerId, unit],
    );
    return rowCount === 1;
  }

  override async ofCustomer({ tx, tenantId }: Session, customerId: string): Promise<readonly AutoTopUp[]> {
    const { rows } = await tx.query<{ body: unknown }>(
      'select body from auto_top_up where tenant_id = $1 and customer_id = $2 order by unit',
      [tenantId, customerId],
    );
    return rows.map(({ body }) => fromDocument<AutoTopUp>(body));
  }

  override async due({ tx, tenantId, now }: Session, limit: number): Promise<readonly AutoTopUp[]> {
    const { rows } = await tx.query<{ body: unknown }>(
      'select body from auto_top_up where tenant_id = $1 and due_at <= $2 order by due_at limit $3',
      [tenantId, pgInstant(now), limit],
    );
    return rows.map(({ body }) => fromDocument<AutoTopUp>(body));
  }

  override async balance(
    { tx, tenantId }: Session,
    customerId: string,
    unit: string,
  ): Promise<KnownBalance | null> {
    const { rows } = await tx.query<{ version: bigint; segments: unknown }>(
      'select version, segments from wallet_balance where tenant_id = $1 and customer_id = $2 and unit = $3',
      [tenantId, customerId, unit],
    );
    const [row] = rows;
    if (row === undefined) return null;
    return { version: Number(row.version), segments: fromDocument<KnownBalance['segments']>(row.segments) };
  }

  override async hearBalances(statements: readonly BalanceStatement[]): Promise<void> {
    if (statements.length === 0) return;
    await this.database.asWorker((tx) =>
      tx.query({ name: 'billing-hear-balances', text: HEAR }, [
        statements.map(({ tenantId }) => tenantId),
        statements.map(({ customerId }) => customerId),
        statements.map(({ unit }) => unit),
        statements.map(({ version }) => version),
        statements.map(({ segments }) => toDocument(segments)),
        statements.map(({ now }) => pgInstant(now)),
      ]),
    );
  }
}
