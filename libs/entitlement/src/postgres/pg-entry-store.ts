import { Injectable } from '@nestjs/common';
import { invariant } from '@tallygate/kernel';
import { Database } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { Position } from '../domain';
import { EntryStore } from '../service/entry-store';
import type { EntryDraft, StoredEntry } from '../service/entry-store';
import { lockFeed, readPosition } from './sql/lock-feed';
import { readCredentialKeys, readEntriesAfter, snapshotOfAll, snapshotOfTenant } from './sql/read-entries';
import { writeEntries } from './sql/write-entries';

interface EntryRow {
  readonly tenant_id: string;
  readonly kind: string;
  readonly key: string;
  readonly version: bigint;
  readonly seq: bigint;
  readonly payload: string;
  readonly removed: boolean;
}

const CHUNK = 1_000;

@Injectable()
export class PgEntryStore extends EntryStore {
  constructor(private readonly database: Database) {
    super();
  }

  override async lock(tx: Tx): Promise<void> {
    await tx.query(lockFeed);
  }

  override async write(tx: Tx, drafts: readonly EntryDraft[]): Promise<void> {
    if (drafts.length === 0) return;
    await tx.query(writeEntries, [
      drafts.map((draft) => draft.tenantId),
      drafts.map((draft) => draft.kind),
      drafts.map((draft) => draft.key),
      drafts.map((draft) => draft.ownerId),
      drafts.map((draft) => draft.payload),
      drafts.map((draft) => draft.removed),
    ]);
  }

  override async credentialKeys(tx: Tx, tenantId: string, customerId: string): Promise<readonly string[]> {
    const { rows } = await tx.query<{ key: string }>(readCredentialKeys, [tenantId, customerId]);
    return rows.map((row) => row.key);
  }

  override async after(seq: number, limit: number): Promise<readonly StoredEntry[]> {
    return this.database.asWorker(async (tx) => {
      const { rows } = await tx.query<EntryRow>(readEntriesAfter, [seq, limit]);
      return rows.map(entryOf);
    });
  }

  override async position(): Promise<Position> {
    return this.database.asWorker(positionIn);
  }

  override async snapshot(
    tenantId: string | null,
    onChunk: (entries: readonly StoredEntry[]) => Promise<void>,
  ): Promise<Position> {
    return this.database.asWorker(async (tx) => {
      const [text, values] = tenantId === null ? [snapshotOfAll, []] : [snapshotOfTenant, [tenantId]];
      // Read before the cursor's view is taken: what commits between is in both, and versions make that harmless.
      const position = await positionIn(tx);
      await tx.query(`declare snapshot no scroll cursor for ${text}`, values);
      for (;;) {
        const { rows } = await tx.query<EntryRow>(`fetch ${CHUNK} from snapshot`);
        if (rows.length === 0) return position;
        await onChunk(rows.map(entryOf));
      }
    });
  }
}

async function positionIn(tx: Tx): Promise<Position> {
  const { rows } = await tx.query<{ epoch: string; seq: bigint }>(readPosition);
  const row = rows[0];
  invariant(row !== undefined, 'The migration writes the one row of feed_position');
  return { epoch: row.epoch, seq: Number(row.seq) };
}

function entryOf(row: EntryRow): StoredEntry {
  return {
    tenantId: row.tenant_id,
    kind: row.kind,
    key: row.key,
    version: Number(row.version),
    seq: Number(row.seq),
    payload: row.payload,
    removed: row.removed,
  };
}
