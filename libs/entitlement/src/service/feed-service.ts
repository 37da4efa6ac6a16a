import { Injectable } from '@nestjs/common';
import type { HelloMessage, SubscribeResponse, WireEntry } from '@tallygate/contracts';
import { Clock } from '@tallygate/kernel';
import { Digest, positionOf, tokenOf } from '../domain';
import type { Position } from '../domain';
import { EntryStore } from './entry-store';
import { FeedFollower } from './feed-follower';
import { FeedHub } from './feed-hub';
import { FeedSession, wireEntry } from './feed-session';
import type { FeedSink } from './feed-session';
import { GateRegistry } from './gate-registry';

/** A subscription that is open. */
export interface OpenFeed {
  readonly session: FeedSession;
  ack(token: string, digest: string): void;
  end(): void;
}

/** A sink that can be waited for while a long snapshot is sent. */
export interface PatientSink extends FeedSink {
  /** Resolves when more may be sent; rejects when the gate is gone. */
  drained(): Promise<void>;
}

const BOOKMARK_MS = 1_000;
/** Snapshots read the database; a crowd of gates that reconnects takes turns. */
const SNAPSHOTS_AT_ONCE = 4;

/** Opens feeds: goes on where a gate was, or sends it a snapshot first; then everything that changes. */
@Injectable()
export class FeedService {
  private readonly open = new Set<FeedSession>();
  private readonly turns = new Turns(SNAPSHOTS_AT_ONCE);
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly hub: FeedHub,
    private readonly store: EntryStore,
    private readonly follower: FeedFollower,
    private readonly registry: GateRegistry,
    private readonly clock: Clock,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.bookmarks(), BOOKMARK_MS);
    this.timer.unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    for (const session of this.open) session.close();
  }

  /** @param tenantId what the credential may see; null for everything */
  async subscribe(
    hello: Pick<HelloMessage, 'gateId' | 'resumeToken' | 'digest'>,
    tenantId: string | null,
    sink: PatientSink,
  ): Promise<OpenFeed> {
    const resumed = this.resumePosition(hello, tenantId);
    if (resumed === null && hello.resumeToken !== '') sink.send(reset('the token is not valid any more'));
    let start = resumed ?? (await this.sendSnapshot(tenantId, sink));
    // A snapshot that took longer than the history reaches back is no place to go on from.
    while (this.hub.since(start, tenantId) === null) start = await this.sendSnapshot(tenantId, sink);
    return this.attach(hello.gateId, tenantId, sink, start);
  }

  /** One consistent snapshot, in chunks. */
  async snapshot(
    tenantId: string | null,
    onChunk: (entries: readonly WireEntry[]) => Promise<void>,
  ): Promise<{ readonly position: Position; readonly digest: string }> {
    return this.turns.take(async () => {
      const digest = new Digest();
      const position = await this.store.snapshot(tenantId, async (entries) => {
        for (const { tenantId: owner, kind, key, version } of entries)
          digest.toggle(owner, kind, key, version);
        await onChunk(entries.map(wireEntry));
      });
      // What goes on from here, and every digest, is of the hub: it must know what the snapshot held.
      await this.follower.caughtUp();
      const seq = Math.min(position.seq, this.hub.position.seq);
      return { position: { epoch: position.epoch, seq }, digest: digest.toString() };
    });
  }

  private attach(gateId: string, tenantId: string | null, sink: FeedSink, start: Position): OpenFeed {
    const session = new FeedSession(gateId, tenantId, this.hub, sink, start);
    for (const entry of this.hub.since(start, tenantId) ?? []) session.offer(entry, false);
    const unlisten = this.hub.listen(session);
    this.open.add(session);
    this.registry.connect(session);
    session.flush();
    session.bookmark(this.clock.now());
    return {
      session,
      ack: (token, digest) => this.registry.ack(session, token, digest),
      end: () => {
        unlisten();
        this.open.delete(session);
        this.registry.disconnect(session);
      },
    };
  }

  /** Null: a snapshot is needed. A digest is compared where it can be, at the present position. */
  private resumePosition(
    { resumeToken, digest }: Pick<HelloMessage, 'resumeToken' | 'digest'>,
    tenantId: string | null,
  ): Position | null {
    const position = positionOf(resumeToken);
    if (position === null) return null;
    const missed = this.hub.since(position, tenantId);
    if (missed === null) return null;
    const comparable = missed.length === 0 && digest !== '';
    return comparable && digest !== this.hub.state.digest(tenantId) ? null : position;
  }

  private async sendSnapshot(tenantId: string | null, sink: PatientSink): Promise<Position> {
    sink.send({ message: 'snapshotBegin', snapshotBegin: { token: '' } });
    const { position, digest } = await this.snapshot(tenantId, async (entries) => {
      const more = sink.send({ message: 'snapshotChunk', snapshotChunk: { entries } });
      if (!more) await sink.drained();
    });
    sink.send({ message: 'snapshotEnd', snapshotEnd: { token: tokenOf(position), digest } });
    return position;
  }

  private bookmarks(): void {
    const now = this.clock.now();
    for (const session of this.open) session.bookmark(now);
    this.registry.tick();
  }
}

function reset(cause: string): SubscribeResponse {
  return { message: 'reset', reset: { cause } };
}

/** Lets a few at a time through, the others in the order of their coming. */
class Turns {
  private free: number;
  private readonly queue: (() => void)[] = [];

  constructor(atOnce: number) {
    this.free = atOnce;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.queue.push(resolve));
    return work().finally(() => this.pass());
  }

  private pass(): void {
    const next = this.queue.shift();
    if (next === undefined) this.free += 1;
    else next();
  }
}
