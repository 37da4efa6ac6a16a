import type { Instant } from '@tallygate/kernel';
import { Database, type Sweeper, instantOrNullFromPg, pgInstant } from '@tallygate/platform';

/** A row's present: its tenant's virtual clock, else the system's ($2). */
const PRESENT =
  'coalesce((select c.now from tenant_clock c where c.tenant_id = t.tenant_id), $2::timestamptz)';

export interface DueRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly due: string;
}

const dueIn = (table: 'delivery' | 'reminder') => ({
  name: `notifier_due_${table}`,
  text: `select t.tenant_id, t.${table}_id as id, t.due_at::text as due from ${table} t
         where t.due_at is not null and ($1::uuid is null or t.tenant_id = $1) and t.due_at <= ${PRESENT}
         order by t.due_at limit 500`,
});

const nextIn = (table: 'delivery' | 'reminder') => ({
  name: `notifier_next_${table}`,
  text: `select min(due_at) as at from ${table} where tenant_id = $1 and due_at > $2::timestamptz`,
});

/** Hands what is due in a table to `take`; the rows remember what is left to do, nothing else does. */
export class DueSweeper implements Sweeper {
  readonly name: string;

  constructor(
    private readonly database: Database,
    private readonly table: 'delivery' | 'reminder',
    private readonly take: (rows: readonly DueRow[]) => Promise<void>,
  ) {
    this.name = `notifier ${table}`;
  }

  async sweep(scope: string | null, systemNow: Instant): Promise<number> {
    const { rows } = await this.database.asWorker((tx) =>
      tx.query<DueRow>(dueIn(this.table), [scope, pgInstant(systemNow)]),
    );
    if (rows.length > 0) await this.take(rows);
    return rows.length;
  }

  async nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    const next = (tx: Parameters<Parameters<Database['asWorker']>[0]>[0]) =>
      tx.query<{ at: string | null }>(nextIn(this.table), [tenantId, pgInstant(after)]);
    const { rows } = await this.database.asWorker(next);
    return instantOrNullFromPg(rows[0]?.at ?? null);
  }
}
