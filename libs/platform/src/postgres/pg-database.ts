import { Pool } from 'pg';
import type { PoolClient, QueryResult, QueryResultRow } from 'pg';
import type { Log } from '../telemetry/log';
import { silentLog } from '../telemetry/log';
import { Database } from './database';
import type { Tx } from './database';
import { exactTypes } from './pg-types';
import { identifier, roleName, roleUrl } from './roles';
import type { RoleKind } from './roles';
import { nameStatement } from './statement-error';

export interface PgDatabaseOptions {
  /** Host, port and database; its user is replaced by the schema's two roles. */
  readonly url: string;
  readonly schema: string;
  readonly roleSecret: string;
  readonly apiConnections?: number;
  readonly workerConnections?: number;
  readonly log?: Log;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** One service's schema, through two pools that log in as its two roles. */
export class PgDatabase extends Database {
  readonly schema: string;
  private readonly api: Pool;
  private readonly worker: Pool;

  constructor(private readonly options: PgDatabaseOptions) {
    super();
    this.schema = identifier(options.schema);
    this.api = this.pool('api', options.apiConnections ?? 10);
    this.worker = this.pool('worker', options.workerConnections ?? 10);
  }

  /** The tenant is written into the text, so that BEGIN and the setting are one round trip; the pattern guards it. */
  override async asTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    if (!UUID.test(tenantId)) throw new Error(`Not a tenant id: ${JSON.stringify(tenantId)}`);
    return transaction(this.api, `begin; select set_config('tallygate.tenant', '${tenantId}', true)`, work);
  }

  override async asWorker<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return transaction(this.worker, 'begin', work);
  }

  /** A client of the worker role outside any transaction, for session locks and LISTEN; its user releases it. */
  async workerSession(): Promise<PoolClient> {
    return this.worker.connect();
  }

  /** Answers when both roles can log in and see the schema. */
  async ping(): Promise<void> {
    await Promise.all([
      this.api.query('select 1 from outbox limit 0'),
      this.worker.query('select 1 from outbox limit 0'),
    ]);
  }

  override async close(): Promise<void> {
    await Promise.all([this.api.end(), this.worker.end()]);
  }

  private pool(kind: RoleKind, max: number): Pool {
    const role = roleName(this.schema, kind);
    const pool = new Pool({
      connectionString: roleUrl(this.options.url, this.options.roleSecret, role),
      max,
      types: exactTypes,
      connectionTimeoutMillis: 30_000,
      keepAlive: true,
      application_name: role,
      // As start-up options the settings cost no round trip and hold for every connection of the pool.
      options: `-c search_path=${this.schema} -c TimeZone=UTC -c DateStyle=ISO -c synchronous_commit=on -c idle_in_transaction_session_timeout=60000`,
    });
    // A connection that drops is replaced by the pool, and whoever uses it hears of it from its statement; without
    // listeners the event would end the process. The pool's own covers idle connections only.
    const log = this.options.log ?? silentLog;
    pool.on('connect', (client) =>
      client.on('error', (error) => log.debug({ err: error, role }, 'lost a connection')),
    );
    pool.on('error', (error) => log.warn({ err: error, role }, 'lost an idle connection'));
    return pool;
  }
}

async function transaction<T>(pool: Pool, begin: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  const after = new Set<() => void>();
  const result = await committed(pool, begin, (client) => work(new OpenTx(client, after)));
  for (const act of after) act();
  return result;
}

async function committed<T>(pool: Pool, begin: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    broken = await rollback(client);
    throw error;
  } finally {
    // A connection whose rollback failed may still hold the transaction: it must not go back to the pool.
    client.release(broken);
  }
}

async function rollback(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('rollback');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

class OpenTx implements Tx {
  constructor(
    readonly client: PoolClient,
    private readonly after: Set<() => void>,
  ) {}

  afterCommit(act: () => void): void {
    this.after.add(act);
  }

  async query<R extends QueryResultRow>(
    statement: string | { name: string; text: string },
    values: readonly unknown[] = [],
  ): Promise<QueryResult<R>> {
    const text = typeof statement === 'string' ? statement : statement.text;
    const name = typeof statement === 'string' ? undefined : statement.name;
    try {
      return await this.client.query<R>({
        text,
        values: [...values],
        ...(name === undefined ? {} : { name }),
      });
    } catch (error) {
      throw nameStatement(error, name ?? text.trim().replace(/\s+/g, ' ').slice(0, 80));
    }
  }
}
