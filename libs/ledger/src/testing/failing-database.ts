import { PgDatabase } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';

/** A database whose connection is cut before one of a transaction's statements. */
export class FailingDatabase extends PgDatabase {
  /** Statements of the next worker's transaction that still go through; null: all. */
  statementsLeft: number | null = null;

  override async asWorker<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return super.asWorker((tx) => work(this.cut(tx)));
  }

  private cut(tx: Tx): Tx {
    const query: Tx['query'] = async (statement, values) => {
      if (this.statementsLeft === 0) await tx.query('select pg_terminate_backend(pg_backend_pid())');
      if (this.statementsLeft !== null) this.statementsLeft -= 1;
      return tx.query(statement, values);
    };
    return { client: tx.client, query, afterCommit: (act) => tx.afterCommit(act) };
  }
}
