import type { WireEntry, WireEntryRef } from '@tallygate/contracts';
import { isEntryKind } from './entries';
import type { FeedEntry, LiveEntry } from './entries';

/** An entry as it travels, on every transport. */
export function entryFromWire(wire: WireEntry): FeedEntry {
  const { tenantId, kind, key, version } = wire;
  if (!isEntryKind(kind)) return { tenantId, key, version, removed: false, kind: 'unknown', as: kind };
  const payload: unknown = JSON.parse(wire.payload);
  // The service wrote the payload from the entry type of this kind; compile.ts refuses what is not one.
  return { tenantId, key, version, removed: false, kind, payload } as LiveEntry;
}

export function removalFromWire({ tenantId, kind, key, version }: WireEntryRef): FeedEntry {
  return { tenantId, kind, key, version, removed: true };
}

/** What a delta carries, removals last. */
export function entriesOfDelta(delta: {
  readonly upserts: readonly WireEntry[];
  readonly removes: readonly WireEntryRef[];
}): readonly FeedEntry[] {
  return [...delta.upserts.map(entryFromWire), ...delta.removes.map(removalFromWire)];
}
