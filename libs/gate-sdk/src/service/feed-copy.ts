import type { DeltaMessage, SubscribeResponse } from '@tallygate/contracts';
import { Replica, entriesOfDelta, entryFromWire, positionOf, tokenOf } from '@tallygate/decision';
import type { FeedState, Position } from '@tallygate/decision';
import type { Clock, Instant } from '@tallygate/kernel';
import { instant, invariant } from '@tallygate/kernel';
import type { FeedClock } from '../domain/feed-clock';
import type { FeedReply } from './feed-transport';
import type { StateCopy } from './state-copy';

/**
 * The gate's copy of the feed: applies what comes and says what to answer. A snapshot takes over only with the digest
 * that was announced; a bookmark whose digest differs shows drift, and everything is asked for anew meanwhile the old
 * state stays in use.
 */
export class FeedCopy {
  private readonly replica = new Replica();
  private inSnapshot = false;
  /** Times that the digest was not the service's. */
  drifts = 0;

  constructor(
    private readonly clock: FeedClock,
    private readonly local: Clock,
    private readonly disk: StateCopy,
  ) {}

  get state(): FeedState | null {
    return this.replica.state;
  }

  get token(): string | null {
    const { position } = this.replica;
    return position === null ? null : tokenOf(position);
  }

  get digest(): string | null {
    return this.replica.digest;
  }

  /** Takes over what was kept on disk, as old as it is. */
  async restore(): Promise<boolean> {
    const copy = await this.disk.load();
    if (copy === null) return false;
    this.replica.snapshotBegin();
    this.replica.snapshotChunk(copy.entries);
    const swapped = this.replica.snapshotEnd(position(copy.token), copy.digest) === 'swapped';
    if (swapped) this.clock.restored(copy.provenAt);
    return swapped;
  }

  /** @throws when an entry cannot be read; the state stays as it was before it */
  receive(message: SubscribeResponse): FeedReply | null {
    this.clock.heard(this.local.now());
    const goesOn = message.message === 'delta' || message.message === 'bookmark';
    if (goesOn && this.inSnapshot) {
      // The stream broke inside a snapshot, and the next one goes on from the state before it.
      this.inSnapshot = false;
      this.disk.abandonSnapshot();
    }
    switch (message.message) {
      case 'snapshotBegin':
        this.inSnapshot = true;
        this.replica.snapshotBegin();
        this.disk.snapshotBegin();
        return null;
      case 'snapshotChunk':
        this.replica.snapshotChunk(message.snapshotChunk.entries.map(entryFromWire));
        this.disk.append(message.snapshotChunk.entries, []);
        return null;
      case 'snapshotEnd':
        return this.takeOver(message.snapshotEnd.token, message.snapshotEnd.digest);
      case 'delta':
        return this.apply(message.delta);
      case 'bookmark':
        return this.compare(
          message.bookmark.token,
          message.bookmark.digest,
          instant(message.bookmark.serverTimeMicros),
        );
      case 'reset':
        return null;
    }
  }

  private takeOver(token: string, digest: string): FeedReply {
    const outcome = this.replica.snapshotEnd(position(token), digest);
    this.inSnapshot = false;
    if (outcome !== 'swapped') {
      this.disk.abandonSnapshot();
      return this.drifted(token, `snapshot: ${outcome}`);
    }
    return this.applied(token);
  }

  private apply(delta: DeltaMessage): FeedReply {
    if (!this.replica.delta(entriesOfDelta(delta), position(delta.to))) {
      return this.drifted(delta.to, 'a delta before any snapshot');
    }
    this.disk.append(delta.upserts, delta.removes);
    return this.applied(delta.to);
  }

  /** Without a digest something older is still on its way, so there is nothing to compare yet. */
  private compare(token: string, digest: string, server: Instant): FeedReply | null {
    this.clock.bookmark(this.local.now(), server);
    if (this.replica.state === null) return null;
    if (digest !== '' && digest !== this.replica.digest) return this.drifted(token, 'the digest differs');
    this.replica.delta([], position(token));
    this.disk.proven(this.clock.now(this.local.now()));
    return this.ack(token);
  }

  private applied(token: string): FeedReply {
    const { digest } = this.replica;
    invariant(digest !== null, 'Something was applied, so there is a state');
    this.disk.commit(token, digest);
    this.disk.proven(this.clock.now(this.local.now()));
    return this.ack(token);
  }

  private ack(token: string): FeedReply {
    return { message: 'ack', ack: { token, digest: this.replica.digest ?? '' } };
  }

  private drifted(token: string, problem: string): FeedReply {
    this.drifts += 1;
    return { message: 'nack', nack: { token, problem, entries: [] } };
  }
}

function position(token: string): Position {
  const parsed = positionOf(token);
  invariant(parsed !== null, `The feed sent a token that is none: ${token}`);
  return parsed;
}
