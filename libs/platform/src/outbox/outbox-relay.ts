import type { PoolClient } from 'pg';
import type { EventBus, OutgoingMessage } from '../bus/event-bus';
import { PublishError } from '../bus/publish-error';
import { backoffMs } from '../flow/backoff';
import { Pause, Signal } from '../flow/signal';
import type { PgDatabase } from '../postgres/pg-database';
import type { Log } from '../telemetry/log';
import { silentLog } from '../telemetry/log';

const BATCH = 1000;
const POLL_MS = 500;
const CHANNEL = 'outbox';

interface Row {
  readonly id: bigint;
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Empties one schema's outbox: in the order of ids, published, then deleted. A crash in between repeats what was
 * published. One relay per schema works at a time, chosen by a session lock that dies with its connection; the relay
 * reads and deletes on that same connection, so that one which lost the lock cannot go on.
 */
export class OutboxRelay {
  private readonly pause = new Pause();
  private readonly rounds = new Signal();
  private readonly log: Log;
  private running: Promise<void> | undefined;
  private stopping = false;
  private leading = false;
  private telling: Promise<unknown> | undefined;

  constructor(
    private readonly options: { readonly database: PgDatabase; readonly bus: EventBus; readonly log?: Log },
  ) {
    this.log = options.log ?? silentLog;
  }

  start(): void {
    this.stopping = false;
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.pause.wake();
    await this.running;
    this.running = undefined;
  }

  wake(): void {
    this.pause.wake();
    if (!this.leading && !this.stopping) this.tellLeader();
  }

  /** Resolves when a round ended here, or after the poll interval when another process does the work. */
  progress(): Promise<void> {
    return this.rounds.next();
  }

  /** The relay may be another process's. Notices are merged: one on its way covers all rows committed before it runs. */
  private tellLeader(): void {
    this.telling ??= this.options.database
      .asWorker((tx) => tx.query(`select pg_notify($1, '')`, [this.channel]))
      .catch(() => undefined)
      .finally(() => (this.telling = undefined));
  }

  private get channel(): string {
    return `tallygate_${this.options.database.schema}_${CHANNEL}`;
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.stopping;) {
      try {
        await this.lead();
        failures = 0;
        if (!this.stopping) await this.pause.wait(POLL_MS);
      } catch (error) {
        failures += 1;
        this.log.error(
          { err: error, schema: this.options.database.schema },
          'the outbox relay lost its connection',
        );
        await this.pause.wait(backoffMs(failures));
      }
      this.rounds.raise();
    }
    this.rounds.raise();
  }

  /** Returns at once when another process leads, else when told to stop; throws when the connection is lost. */
  private async lead(): Promise<void> {
    const session = await this.options.database.workerSession();
    const onNotice = () => this.pause.wake();
    session.on('notification', onNotice);
    let locked = false;
    try {
      locked = await lock(session, this.options.database.schema);
      if (!locked) return;
      this.leading = true;
      await session.query(`listen ${this.channel}`);
      await this.drain(session);
    } finally {
      this.leading = false;
      session.off('notification', onNotice);
      // Ending the connection is what surely gives the lock and the LISTEN back.
      session.release(locked);
    }
  }

  private async drain(session: PoolClient): Promise<void> {
    for (let failures = 0; !this.stopping;) {
      const rows = await next(session);
      const kept = await this.publish(rows);
      await remove(
        session,
        rows.filter((row) => !kept.has(row)).map((row) => row.id),
      );
      this.rounds.raise();
      failures = kept.size === 0 ? 0 : failures + 1;
      if (failures > 0) await this.pauseAtLeast(backoffMs(failures));
      else if (rows.length < BATCH) await this.pause.wait(POLL_MS);
    }
  }

  /** After a failure a wake must not turn the back-off into a busy loop. */
  private async pauseAtLeast(ms: number): Promise<void> {
    const end = performance.now() + ms;
    for (let left = ms; left > 0 && !this.stopping; left = end - performance.now())
      await this.pause.wait(left);
  }

  /** @returns the rows that were not taken and stay */
  private async publish(rows: readonly Row[]): Promise<ReadonlySet<Row>> {
    const kept = new Set<Row>();
    for (const [topic, ofTopic] of byTopic(rows)) {
      const sources = new Map<OutgoingMessage, Row>(
        ofTopic.map((row) => [{ key: row.key, value: row.value, headers: row.headers }, row]),
      );
      try {
        await this.options.bus.publish(topic, [...sources.keys()]);
      } catch (error) {
        const failed = error instanceof PublishError ? error.failed : [...sources.keys()];
        for (const row of failed.map((message) => sources.get(message))) if (row !== undefined) kept.add(row);
        this.log.error(
          { err: error, topic, kept: failed.length },
          'publishing failed; the facts stay in the outbox',
        );
      }
    }
    return kept;
  }
}

async function lock(session: PoolClient, schema: string): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>(
    `select pg_try_advisory_lock(hashtextextended('tallygate outbox ' || $1, 0)) as locked`,
    [schema],
  );
  return rows[0]?.locked ?? false;
}

async function next(session: PoolClient): Promise<Row[]> {
  const { rows } = await session.query<Row>({
    name: 'outbox-next',
    text: `select id, topic, key, value, headers from outbox order by id limit ${BATCH}`,
  });
  return rows;
}

async function remove(session: PoolClient, ids: readonly bigint[]): Promise<void> {
  if (ids.length === 0) return;
  await session.query({
    name: 'outbox-remove',
    text: 'delete from outbox where id = any ($1::bigint[])',
    values: [ids],
  });
}

function byTopic(rows: readonly Row[]): Map<string, Row[]> {
  const topics = new Map<string, Row[]>();
  for (const row of rows) {
    const known = topics.get(row.topic);
    if (known === undefined) topics.set(row.topic, [row]);
    else known.push(row);
  }
  return topics;
}
