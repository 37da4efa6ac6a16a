import type { Tx } from '../postgres/database';

/** A fact to publish once the transaction that states it has committed. */
export interface OutboxRecord {
  readonly tenantId: string;
  readonly topic: string;
  /** Orders the facts: those of one key leave in the order they were written. */
  readonly key: string;
  readonly value: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Facts leave through the service's outbox table, in order per key, at least once. `add` writes in the caller's
 * transaction, after the caller took the row locks that order the key; they leave once it has committed.
 */
export abstract class Outbox {
  abstract add(tx: Tx, records: readonly OutboxRecord[]): Promise<void>;
  /** Resolves when nothing of this tenant is left to publish. */
  abstract drained(tenantId: string): Promise<void>;
}
