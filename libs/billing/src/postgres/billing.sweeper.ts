import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, instantFromPg, pgInstant } from '@tallygate/platform';
import type { Sweeper } from '@tallygate/platform';
import { DueWork } from '../service/due-work.service';

/**
 * Tenants that have something due by their own clock. No row: nothing is due. Live tenants are found by the index on
 * due_at alone, tenants with a virtual clock one by one from their clock: a single comparison with coalesce(clock,
 * system) would read every row each second.
 */
const TENANTS_DUE = `
with due as (
  select tenant_id, due_at from subscription where due_at is not null
  union all
  select tenant_id, override_until from customer_flags where override_until is not null
  union all
  select tenant_id, due_at from auto_top_up where due_at is not null
)
select d.tenant_id from due d
 where d.due_at <= $1 and ($2::uuid is null or d.tenant_id = $2)
   and not exists (select from tenant_clock c where c.tenant_id = d.tenant_id)
union
select c.tenant_id from tenant_clock c
 where ($2::uuid is null or c.tenant_id = $2)
   and exists (select from due d where d.tenant_id = c.tenant_id and d.due_at <= c.now)`;

const NEXT_DUE = `
select min(due_at) as next from (
  select min(due_at) as due_at from subscription where tenant_id = $1 and due_at > $2
  union all
  select min(override_until) from customer_flags where tenant_id = $1 and override_until > $2
  union all
  select min(due_at) from auto_top_up where tenant_id = $1 and due_at > $2
) due`;

@Injectable()
export class BillingSweeper implements Sweeper {
  readonly name = 'billing';

  constructor(
    private readonly database: Database,
    private readonly work: DueWork,
  ) {}

  async sweep(scope: string | null, systemNow: Instant): Promise<number> {
    const { rows } = await this.database.asWorker((tx) =>
      tx.query<{ tenant_id: string }>(TENANTS_DUE, [pgInstant(systemNow), scope]),
    );
    let done = 0;
    for (const row of rows) done += await this.work.run(row.tenant_id);
    return done;
  }

  async nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    const { rows } = await this.database.asWorker((tx) =>
      tx.query<{ next: string | null }>(NEXT_DUE, [tenantId, pgInstant(after)]),
    );
    const next = rows[0]?.next ?? null;
    return next === null ? null : instantFromPg(next);
  }
}
