import type { EventBus } from '../bus/event-bus';
import type { PgDatabase } from '../postgres/pg-database';
import type { Tx } from '../postgres/database';
import type { Log } from '../telemetry/log';
import { injectTrace } from '../telemetry/tracing';
import { Outbox } from './outbox';
import type { OutboxRecord } from './outbox';
import { OutboxRelay } from './outbox-relay';

export interface PgOutboxOptions {
  readonly database: PgDatabase;
  readonly bus: EventBus;
  readonly log?: Log;
}

const ADD = {
  name: 'outbox-add',
  // The order of the rows is the order of their ids: the sort comes before the identity is drawn.
  text: `insert into outbox (tenant_id, topic, key, value, headers)
         select tenant_id, topic, key, value, headers
           from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::jsonb[])
                with ordinality as r (tenant_id, topic, key, value, headers, place)
          order by place`,
};

/** The outbox table of one schema and the relay that empties it. */
export class PgOutbox extends Outbox {
  private readonly relay: OutboxRelay;
  private readonly wakeRelay = (): void => this.relay.wake();

  constructor(private readonly options: PgOutboxOptions) {
    super();
    this.relay = new OutboxRelay(options);
  }

  start(): void {
    this.relay.start();
  }

  async stop(): Promise<void> {
    await this.relay.stop();
  }

  /** Every record leaves with the header `tenant`, by which consumers count whose work they did. */
  override async add(tx: Tx, records: readonly OutboxRecord[]): Promise<void> {
    if (records.length === 0) return;
    tx.afterCommit(this.wakeRelay);
    const trace = injectTrace({});
    await tx.query(ADD, [
      records.map((record) => record.tenantId),
      records.map((record) => record.topic),
      records.map((record) => record.key),
      records.map((record) => record.value),
      records.map((record) => JSON.stringify({ ...trace, ...record.headers, tenant: record.tenantId })),
    ]);
  }

  /** Waits for this process's relay, or for that of the process which has the lock. */
  override async drained(tenantId: string): Promise<void> {
    for (;;) {
      const progress = this.relay.progress();
      if (!(await this.holds(tenantId))) return;
      this.relay.wake();
      await progress;
    }
  }

  /** The end of the relay's next round, whatever became of it: a signal for tests. */
  roundEnded(): Promise<void> {
    return this.relay.progress();
  }

  /** How many facts wait (counted up to a limit) and for how long the oldest has. */
  async backlog(): Promise<{ readonly depth: number; readonly ageSeconds: number }> {
    return this.options.database.asWorker(async (tx) => {
      const { rows } = await tx.query<{ depth: number; age: number | null }>(
        `select (select count(*)::int from (select 1 from outbox limit 100000) as waiting) as depth,
                (select extract(epoch from clock_timestamp() - created_at)::float8 from outbox order by id limit 1) as age`,
      );
      return { depth: rows[0]?.depth ?? 0, ageSeconds: rows[0]?.age ?? 0 };
    });
  }

  private async holds(tenantId: string): Promise<boolean> {
    return this.options.database.asWorker(async (tx) => {
      const { rows } = await tx.query<{ waits: boolean }>(
        { name: 'outbox-holds', text: 'select exists (select from outbox where tenant_id = $1) as waits' },
        [tenantId],
      );
      return rows[0]?.waits ?? false;
    });
  }
}
