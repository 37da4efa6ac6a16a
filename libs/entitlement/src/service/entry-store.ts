import type { Tx } from '@tallygate/platform';
import type { EntryKind, Position } from '../domain';

/** An entry to be written; what it replaces gives it its version. */
export interface EntryDraft {
  readonly tenantId: string;
  readonly kind: EntryKind;
  readonly key: string;
  /** The customer it belongs to; null for a tenant's own. */
  readonly ownerId: string | null;
  /** JSON of the entry type of the kind; empty for a removal. */
  readonly payload: string;
  readonly removed: boolean;
}

/** An entry as stored, with its place in the feed. */
export interface StoredEntry {
  readonly tenantId: string;
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  readonly seq: number;
  readonly payload: string;
  readonly removed: boolean;
}

/** The feed's own storage: the last state of every key, in the order of their last changes. */
export abstract class EntryStore {
  /** Makes the caller's transaction the only one that writes entries, until it ends. Taken before anything is read. */
  abstract lock(tx: Tx): Promise<void>;
  /** Writes what differs from what is there. Keys are distinct. */
  abstract write(tx: Tx, drafts: readonly EntryDraft[]): Promise<void>;
  /** Keys of a customer's credentials that are in the feed. */
  abstract credentialKeys(tx: Tx, tenantId: string, customerId: string): Promise<readonly string[]>;
  /** Changes after a position, oldest first. */
  abstract after(seq: number, limit: number): Promise<readonly StoredEntry[]>;
  abstract position(): Promise<Position>;
  /**
   * Hands out one consistent view of what is not removed, chunk by chunk.
   * @returns a position that the view is not older than
   */
  abstract snapshot(
    tenantId: string | null,
    onChunk: (entries: readonly StoredEntry[]) => Promise<void>,
  ): Promise<Position>;
}
