import type { FeedEntry } from './entries';
import { FeedState } from './feed-state';

/** Place in the feed. Epochs change on restore from a backup; sequences grow within one. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

export type SwapOutcome = 'swapped' | 'digest_differs' | 'no_snapshot';

/**
 * A follower's copy: the state in use, and a snapshot being received beside it. The snapshot takes over only whole and
 * with the digest that its sender announced; a broken one leaves the old state in use.
 */
export class Replica {
  private used: FeedState | null = null;
  private incoming: FeedState | null = null;
  private at: Position | null = null;

  /** Null before the first whole snapshot. */
  get state(): FeedState | null {
    return this.used;
  }

  get position(): Position | null {
    return this.at;
  }

  get digest(): string | null {
    return this.used === null ? null : this.used.digest();
  }

  snapshotBegin(): void {
    this.incoming = new FeedState();
  }

  snapshotChunk(entries: readonly FeedEntry[]): void {
    for (const entry of entries) this.incoming?.apply(entry);
  }

  snapshotEnd(position: Position, digest: string): SwapOutcome {
    const { incoming } = this;
    this.incoming = null;
    if (incoming === null) return 'no_snapshot';
    if (incoming.digest() !== digest) return 'digest_differs';
    this.used = incoming;
    this.at = position;
    return 'swapped';
  }

  /** Applies a delta; ignored before the first snapshot, since a part of a state decides wrongly. */
  delta(entries: readonly FeedEntry[], to: Position): boolean {
    if (this.used === null) return false;
    for (const entry of entries) this.used.apply(entry);
    this.at = to;
    return true;
  }
}

/** Opaque to gates: where to go on. */
export function tokenOf({ epoch, seq }: Position): string {
  return `${epoch}:${seq}`;
}

/** Null for anything that `tokenOf` did not write. */
export function positionOf(token: string): Position | null {
  const match = /^([0-9a-z-]{1,64}):(\d{1,15})$/.exec(token);
  return match === null ? null : { epoch: match[1] ?? '', seq: Number(match[2]) };
}
