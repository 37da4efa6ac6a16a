import type { PoolClient, QueryResult, QueryResultRow } from 'pg';

/** A transaction that is open now. Statements run on it in order; it ends with the function it was handed to. */
export interface Tx {
  query<R extends QueryResultRow = QueryResultRow>(
    text: string | { name: string; text: string },
    values?: readonly unknown[],
  ): Promise<QueryResult<R>>;
  /** Once, when this transaction has committed; never when it is rolled back. The same function given again runs once. */
  afterCommit(act: () => void): void;
  /** The raw client, for the few hot statements that need it. */
  readonly client: PoolClient;
}

/**
 * One service's schema in PostgreSQL. Every table carries tenant_id under forced row-level security; the run-time roles
 * own nothing. `asTenant` sees one tenant's rows only (API requests); `asWorker` sees all tenants (consumers and
 * sweeps, which name the tenant in every statement).
 */
export abstract class Database {
  abstract readonly schema: string;
  /** One transaction restricted to a tenant. Rolls back when `work` throws; retries nothing by itself. */
  abstract asTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** One transaction over all tenants. */
  abstract asWorker<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  abstract close(): Promise<void>;
}
