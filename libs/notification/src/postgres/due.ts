import type { Instant } from '@tallygate/kernel';
import type { Database } from '@tallygate/platform';
import { type Sweeper, instantOrNullFromPg, pgInstant } from '@tallygate/platform';

/** A row's present: its tenant's virtual clock, else the system's ($2). */
const PRESENT =
  'coalesce((select c.now from tenant_clock c where c.tenant_id = t.tenant_id), $2::timestamptz)';

export interface DueRow {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly id: string;
  readonly due: string;
}

export type DueTable = 'watch' | 'reminder' | 'delivery';

/** Which rows of a table count. A customer's mails leave in order, so of those that wait only the first may be tried. */
const COUNTS: Readonly<Record<DueTable, string>> = {
  watch: 't.due_at is not null',
  reminder: 'true',
  delivery: `t.due_at is not null and not t.withdrawn and not exists (
    select from delivery e where e.tenant_id = t.tenant_id and e.customer_id = t.customer_id
       and e.channel = t.channel and e.due_at is not null and not e.withdrawn and e.sequence < t.sequence)`,
};

const dueIn = (table: DueTable) => ({
  name: `notifier_due_${table}`,
  text: `select t.tenant_id, t.customer_id, t.${table}_id as id, t.due_at::text as due from ${table} t
         where ${COUNTS[table]} and ($1::uuid is null or t.tenant_id = $1) and t.due_at <= ${PRESENT}
         order by t.due_at limit 500`,
});

const nextIn = (table: DueTable) => ({
  name: `notifier_next_${table}`,
  text: `select min(t.due_at) as at from ${table} t
         where t.tenant_id = $1 and ${COUNTS[table]} and t.due_at > $2::timestamptz`,
});

/** Hands what is due in a table to `take`; the rows remember what is left to do, nothing else does. */
export class DueSweeper implements Sweeper {
  readonly name: string;
  private handed: ReadonlySet<string> = new Set();

  constructor(
    private readonly database: Database,
    private readonly table: DueTable,
    private readonly take: (rows: readonly DueRow[]) => Promise<void>,
  ) {
    this.name = `notifier ${table}`;
  }

  /** Rows handed over by the last sweep too are still being worked on: handed again, but no reason to sweep at once. */
  async sweep(scope: string | null, systemNow: Instant): Promise<number> {
    const { rows } = await this.database.asWorker((tx) =>
      tx.query<DueRow>(dueIn(this.table), [scope, pgInstant(systemNow)]),
    );
    if (rows.length > 0) await this.take(rows);
    const names = rows.map(({ id, due }) => JSON.stringify([id, due]));
    const news = names.filter((name) => !this.handed.has(name));
    this.handed = new Set(names);
    return news.length;
  }

  async nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    const { rows } = await this.database.asWorker((tx) =>
      tx.query<{ at: string | null }>(nextIn(this.table), [tenantId, pgInstant(after)]),
    );
    return instantOrNullFromPg(rows[0]?.at ?? null);
  }
}
