import { Injectable } from '@nestjs/common';
import { Clock } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Signal } from '@tallygate/platform';
import { FeedState, entryFromWire, removalFromWire, unblocks } from '../domain';
import type { CustomerState, Position } from '../domain';
import type { StoredEntry } from './entry-store';

/** How long a gate may be away and still go on where it was. */
const HISTORY_MICROS = 10 * 60 * 1_000_000;
/** Bounds the memory of the history; beyond it a gate starts anew. */
const HISTORY_ENTRIES = 200_000;

interface Remembered {
  readonly entry: StoredEntry;
  readonly at: Instant;
}

/** Takes entries as they come; `urgent` ones open something that was shut. */
export interface FeedListener {
  readonly tenantId: string | null;
  offer(entry: StoredEntry, urgent: boolean): void;
  /** Everything offered so far belongs together; called once per advance, also when nothing was offered. */
  flush(): void;
}

/**
 * The feed in memory: the state itself, what changed lately (one entry per key, the latest wins, in the order of their
 * last change), and whoever listens. Only the follower advances it, in the order of the feed.
 */
@Injectable()
export class FeedHub {
  readonly state = new FeedState();
  readonly changed = new Signal();
  private readonly history = new Map<string, Remembered>();
  private readonly listeners = new Set<FeedListener>();
  private readonly heads = new Map<string, number>();
  private at: Position = { epoch: '', seq: 0 };
  /** Changes up to here may be missing from the history. */
  private floor = 0;

  constructor(private readonly clock: Clock) {}

  get position(): Position {
    return this.at;
  }

  /** Where the history begins: the position before anything that is still remembered. */
  begin(epoch: string): void {
    this.at = { epoch, seq: 0 };
  }

  /** The last change of one tenant, or of all. */
  headOf(tenantId: string | null): number {
    return tenantId === null ? this.at.seq : (this.heads.get(tenantId) ?? 0);
  }

  advance(entries: readonly StoredEntry[]): void {
    const now = this.clock.now();
    for (const entry of entries) this.take(entry, now);
    this.forget(now);
    for (const listener of this.listeners) listener.flush();
    if (entries.length > 0) this.changed.raise();
  }

  /**
   * Changes after a position, oldest first; null when some of them are not remembered any more, or the position is of
   * another epoch or not reached yet.
   */
  since({ epoch, seq }: Position, tenantId: string | null): readonly StoredEntry[] | null {
    if (epoch !== this.at.epoch || seq < this.floor || seq > this.at.seq) return null;
    if (seq >= this.headOf(tenantId)) return [];
    const changes: StoredEntry[] = [];
    for (const { entry } of this.history.values()) {
      if (entry.seq > seq && (tenantId === null || entry.tenantId === tenantId)) changes.push(entry);
    }
    return changes;
  }

  listen(listener: FeedListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private take(entry: StoredEntry, now: Instant): void {
    const before = this.customerOf(entry);
    this.state.apply(entry.removed ? removalFromWire(entry) : entryFromWire(entry));
    this.remember(entry, now);
    this.at = { epoch: this.at.epoch, seq: entry.seq };
    this.heads.set(entry.tenantId, entry.seq);
    const urgent = this.opens(entry, before, now);
    for (const listener of this.listeners) {
      if (listener.tenantId === null || listener.tenantId === entry.tenantId) listener.offer(entry, urgent);
    }
  }

  private customerOf(entry: StoredEntry): CustomerState | undefined {
    if (entry.kind !== 'customer') return undefined;
    return this.state.tenant(entry.tenantId)?.customers.get(entry.key);
  }

  private opens(entry: StoredEntry, before: CustomerState | undefined, now: Instant): boolean {
    const after = this.customerOf(entry);
    if (after === undefined) return false;
    return unblocks(before, after, this.state.clockOf(entry.tenantId) ?? now);
  }

  /** Deleted first: a map keeps the place of a key that is set again, and the history is ordered by last change. */
  private remember(entry: StoredEntry, at: Instant): void {
    const key = `${entry.tenantId} ${entry.kind} ${entry.key}`;
    this.history.delete(key);
    this.history.set(key, { entry, at });
  }

  private forget(now: Instant): void {
    for (const [key, { entry, at }] of this.history) {
      if (now - at <= HISTORY_MICROS && this.history.size <= HISTORY_ENTRIES) return;
      this.history.delete(key);
      this.floor = entry.seq;
    }
  }
}
