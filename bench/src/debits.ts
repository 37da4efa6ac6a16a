import { KafkaLag } from '@tallygate/testing';
import type { RealStack } from '@tallygate/testing';
import { setTimeout as pace } from 'node:timers/promises';
import { Client } from 'pg';

const POLL_MS = 100;
const UPKEEP_POLL_MS = 1_000;
const PATIENCE_MS = 300_000;

export interface Debited {
  readonly events: number;
  /** From the first durable commit to the last. */
  readonly seconds: number;
  /** Events of the first commit: they were debited when the time began. */
  readonly first: number;
}

const DEBITED = `
select count(*)::int as events,
       extract(epoch from max(committed) - min(committed))::float8 as seconds,
       (count(*) filter (where committed = first))::int as first
  from (select committed, min(committed) over () as first
          from (select pg_xact_commit_timestamp(xmin) as committed from ledger.usage_event
                 where source = $1 and amount is not null) as event) as each`;

const STORED = `
select partition, next_offset from ledger.consumer_offset where topic = 'usage.metered'`;

/** What the ledger does behind its writers: usage to roll up, and wallets whose newest journal row has no seal yet. */
const UPKEEP = `
select exists (select from ledger.unfolded_slice)
    or exists (select from ledger.wallet w
                where w.version > coalesce((select p.last_version from ledger.journal_seal_part p
                                             where p.wallet_id = w.id order by p.last_version desc limit 1), 0)) as left`;

/** What the database holds: the instants of the commits are PostgreSQL's own (track_commit_timestamp). */
export class Debits {
  private constructor(
    private readonly client: Client,
    private readonly lag: KafkaLag,
  ) {}

  static async watch(stack: RealStack): Promise<Debits> {
    const client = new Client({ connectionString: stack.databaseUrl });
    await client.connect();
    return new Debits(client, await KafkaLag.connect(stack.brokers));
  }

  async of(source: string): Promise<Debited> {
    const { rows } = await this.client.query<Debited>(DEBITED, [source]);
    return rows[0] ?? { events: 0, seconds: 0, first: 0 };
  }

  /** @returns events debited so far, of all sources */
  async count(): Promise<number> {
    const { rows } = await this.client.query<{ events: number }>(
      'select count(*)::int as events from ledger.usage_event where amount is not null',
    );
    return rows[0]?.events ?? 0;
  }

  /** Resolves when ingestion and ledger have taken everything in Kafka. */
  async caughtUp(): Promise<void> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await pace(POLL_MS)) {
      if ((await this.lag.of('ingestion.usage', ['usage.raw'])) === 0 && (await this.metered())) return;
    }
    throw new Error(`usage was not taken within ${PATIENCE_MS / 1000} s`);
  }

  /** Resolves when every consumer of the stack has taken everything, so that nothing works beside what comes next. */
  async quiet(): Promise<void> {
    await this.caughtUp();
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await pace(POLL_MS)) {
      if ([...(await this.lag.all()).values()].every((behind) => behind === 0)) return;
    }
    throw new Error(`a consumer was behind for ${PATIENCE_MS / 1000} s`);
  }

  /** Quiet, and the ledger's upkeep of what was taken is done as well: a load that comes next is all that is worked on. */
  async settled(): Promise<void> {
    await this.quiet();
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await pace(UPKEEP_POLL_MS)) {
      const { rows } = await this.client.query<{ left: boolean }>(UPKEEP);
      if (rows[0]?.left === false) return;
    }
    throw new Error(`the ledger's upkeep was not done within ${PATIENCE_MS / 1000} s`);
  }

  async close(): Promise<void> {
    await this.client.end();
    await this.lag.close();
  }

  private async metered(): Promise<boolean> {
    const ends = await this.lag.ends('usage.metered');
    const { rows } = await this.client.query<{ partition: number; next_offset: string }>(STORED);
    const stored = new Map(rows.map((row) => [row.partition, BigInt(row.next_offset)]));
    return [...ends].every(([partition, end]) => end === 0n || (stored.get(partition) ?? 0n) >= end);
  }
}
