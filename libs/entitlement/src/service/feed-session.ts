import type { SubscribeResponse, WireEntry, WireEntryRef } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import { tokenOf } from '../domain';
import type { Position } from '../domain';
import type { StoredEntry } from './entry-store';
import type { FeedHub, FeedListener } from './feed-hub';

/** Where a session's messages go. `send` answers whether more may follow at once; else `onReady` says when. */
export interface FeedSink {
  send(message: SubscribeResponse): boolean;
  onReady(resume: () => void): void;
  close(): void;
}

const DELTA_ENTRIES = 500;
/** Digests of positions sent lately, to compare with what the gate acknowledges. */
const REMEMBERED_DIGESTS = 64;

/**
 * What one gate is owed. Changes wait here by key, the latest wins, so a slow gate costs at most one entry per key;
 * unblocks wait in front of everything else.
 */
export class FeedSession implements FeedListener {
  private readonly urgent = new Map<string, StoredEntry>();
  private readonly normal = new Map<string, StoredEntry>();
  private readonly digests = new Map<string, string>();
  private ready = true;
  private sent: Position;

  constructor(
    readonly gateId: string,
    readonly tenantId: string | null,
    private readonly hub: FeedHub,
    private readonly sink: FeedSink,
    start: Position,
  ) {
    this.sent = start;
    sink.onReady(() => {
      this.ready = true;
      this.flush();
    });
  }

  offer(entry: StoredEntry, urgent: boolean): void {
    const key = `${entry.tenantId} ${entry.kind} ${entry.key}`;
    // Set anew at the end: the maps are ordered by seq, and a key waits in one of them only.
    const wasUrgent = this.urgent.delete(key);
    this.normal.delete(key);
    (urgent || wasUrgent ? this.urgent : this.normal).set(key, entry);
  }

  flush(): void {
    while (this.ready && this.urgent.size > 0) this.sendDelta(this.urgent);
    while (this.ready && this.normal.size > 0) this.sendDelta(this.normal);
    if (this.owesNothing()) this.remember();
  }

  /** Says that the feed is up; with the digest when nothing older is on its way. */
  bookmark(serverNow: Instant): void {
    if (!this.ready) return;
    const whole = this.owesNothing();
    if (whole) this.sent = this.hub.position;
    const digest = whole ? this.remember() : '';
    this.send({
      message: 'bookmark',
      bookmark: { token: tokenOf(this.sent), digest, serverTimeMicros: serverNow },
    });
  }

  /** Whether a digest is the service's at a position; null for a position that is not remembered. */
  agrees(token: string, digest: string): boolean | null {
    const known = this.digests.get(token);
    return known === undefined ? null : known === digest;
  }

  close(): void {
    this.sink.close();
  }

  private owesNothing(): boolean {
    return this.urgent.size === 0 && this.normal.size === 0;
  }

  private sendDelta(waiting: Map<string, StoredEntry>): void {
    const entries = takeFirst(waiting, DELTA_ENTRIES);
    const from = this.sent;
    this.sent = { epoch: from.epoch, seq: this.sentUpTo() };
    this.send({
      message: 'delta',
      delta: {
        from: tokenOf(from),
        to: tokenOf(this.sent),
        upserts: entries.filter((entry) => !entry.removed).map(wireEntry),
        removes: entries.filter((entry) => entry.removed).map(wireRef),
      },
    });
  }

  /** Everything below the oldest change that still waits was sent; urgent ones may lie above it. */
  private sentUpTo(): number {
    const oldest = [first(this.urgent), first(this.normal)].filter((entry) => entry !== undefined);
    if (oldest.length === 0) return this.hub.position.seq;
    return Math.max(this.sent.seq, Math.min(...oldest.map((entry) => entry.seq)) - 1);
  }

  private send(message: SubscribeResponse): void {
    this.ready = this.sink.send(message) && this.ready;
  }

  private remember(): string {
    const digest = this.hub.state.digest(this.tenantId);
    const token = tokenOf(this.sent);
    this.digests.delete(token);
    this.digests.set(token, digest);
    const [oldest] = this.digests.keys();
    if (this.digests.size > REMEMBERED_DIGESTS && oldest !== undefined) this.digests.delete(oldest);
    return digest;
  }
}

function first(waiting: ReadonlyMap<string, StoredEntry>): StoredEntry | undefined {
  return waiting.values().next().value;
}

function takeFirst(waiting: Map<string, StoredEntry>, count: number): readonly StoredEntry[] {
  const taken: StoredEntry[] = [];
  for (const [key, entry] of waiting) {
    if (taken.length === count) break;
    taken.push(entry);
    waiting.delete(key);
  }
  return taken;
}

export function wireEntry({ tenantId, kind, key, version, payload }: StoredEntry): WireEntry {
  return { tenantId, kind, key, version, payload };
}

export function wireRef({ tenantId, kind, key, version }: StoredEntry): WireEntryRef {
  return { tenantId, kind, key, version };
}
