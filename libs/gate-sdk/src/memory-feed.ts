import type { HelloMessage, SubscribeResponse, WireEntry, WireEntryRef } from '@tallygate/contracts';
import { FeedState, entryFromWire, positionOf, removalFromWire, tokenOf } from '@tallygate/decision';
import type { EntryKind } from '@tallygate/decision';
import type { Clock } from '@tallygate/kernel';
import { FeedTransport } from './service/feed-transport';
import type { FeedReceiver, FeedReply } from './service/feed-transport';

/** An entry as a test writes it; `payload` null removes it. Versions are given by the feed. */
export interface MemoryEntry {
  readonly tenantId: string;
  readonly kind: EntryKind;
  readonly key: string;
  readonly payload: unknown;
}

type Change = { readonly seq: number; readonly removed: boolean; readonly entry: WireEntry };
type Send = (message: SubscribeResponse) => FeedReply | null;

const EPOCH = 'memory';
const BOOKMARK_MS = 1_000;

/**
 * A feed in the memory of the process, for tests of services that embed the gate: what it is given is what gates hold,
 * by the same messages, tokens and digests as the real one's.
 */
export class MemoryFeed extends FeedTransport {
  override readonly name = 'memory';
  /** What gates acknowledged and refused, oldest first. */
  readonly replies: FeedReply[] = [];
  private readonly state = new FeedState();
  private readonly changes = new Map<string, Change>();
  private readonly gates = new Set<{ readonly send: Send; readonly end: () => void }>();
  private seq = 0;
  private serving = true;
  private lie = false;

  constructor(private readonly clock: Clock) {
    super();
  }

  get token(): string {
    return tokenOf({ epoch: EPOCH, seq: this.seq });
  }

  get digest(): string {
    return this.state.digest();
  }

  /** Publishes entries as one change. */
  put(...entries: readonly MemoryEntry[]): void {
    const from = this.token;
    const changes = entries.map((entry) => this.take(entry));
    const delta = { from, to: this.token, ...sorted(changes) };
    for (const { send } of this.gates) send({ message: 'delta', delta });
  }

  /** Says once a second, by itself or when asked, that the feed is up. */
  bookmark(): void {
    const { token, digest } = this;
    const bookmark = { token, digest, serverTimeMicros: this.clock.now() };
    for (const { send } of this.gates) send({ message: 'bookmark', bookmark });
  }

  /** The next digest announced is a wrong one, as if something had been lost on the way. */
  lieOnce(): void {
    this.lie = true;
  }

  /** Ends every stream and takes no new one. */
  stop(): void {
    this.serving = false;
    for (const { end } of this.gates) end();
  }

  serve(): void {
    this.serving = true;
  }

  override follow(hello: HelloMessage, receive: FeedReceiver, stop: AbortSignal): Promise<void> {
    if (!this.serving) return Promise.reject(new Error('the feed is stopped'));
    return new Promise((resolve, reject) => {
      const leave = this.attach(
        hello,
        (message) => {
          try {
            return receive(message);
          } catch (error) {
            leave();
            reject(error as Error);
            return null;
          }
        },
        resolve,
      );
      const end = (): void => {
        leave();
        resolve();
      };
      if (stop.aborted) end();
      else stop.addEventListener('abort', end, { once: true });
    });
  }

  /** A gate's stream over any transport; answers how to leave. */
  attach(hello: HelloMessage, send: Send, end: () => void): () => void {
    const gate = {
      send: (message: SubscribeResponse): FeedReply | null => {
        const reply = send(this.truthful(message));
        if (reply !== null) this.reply(gate, reply);
        return reply;
      },
      end: (): void => {
        leave();
        end();
      },
    };
    const timer = setInterval(() => this.bookmark(), BOOKMARK_MS);
    timer.unref();
    const leave = (): void => {
      clearInterval(timer);
      this.gates.delete(gate);
    };
    this.greet(gate.send, hello);
    this.gates.add(gate);
    this.bookmark();
    return leave;
  }

  /** What a gate says on a transport whose answers come later. */
  reply(gate: { readonly send: Send }, reply: FeedReply): void {
    this.replies.push(reply);
    if (reply.message === 'nack') this.snapshot(gate.send);
  }

  override close(): void {}

  private greet(send: Send, { resumeToken, digest }: HelloMessage): void {
    const at = positionOf(resumeToken);
    const known = at !== null && at.epoch === EPOCH && at.seq <= this.seq;
    if (known && (at.seq < this.seq || digest === this.digest)) {
      const missed = [...this.changes.values()].filter(({ seq }) => seq > at.seq);
      if (missed.length > 0) {
        send({ message: 'delta', delta: { from: resumeToken, to: this.token, ...sorted(missed) } });
      }
      return;
    }
    if (resumeToken !== '') send({ message: 'reset', reset: { cause: 'the token does not hold' } });
    this.snapshot(send);
  }

  private snapshot(send: Send): void {
    const entries = [...this.changes.values()].filter(({ removed }) => !removed).map(({ entry }) => entry);
    send({ message: 'snapshotBegin', snapshotBegin: { token: '' } });
    send({ message: 'snapshotChunk', snapshotChunk: { entries } });
    send({ message: 'snapshotEnd', snapshotEnd: { token: this.token, digest: this.digest } });
  }

  private take({ tenantId, kind, key, payload }: MemoryEntry): Change {
    this.seq += 1;
    const entry = { tenantId, kind, key, version: this.seq, payload: JSON.stringify(payload) };
    const removed = payload === null;
    this.state.apply(removed ? removalFromWire(entry) : entryFromWire(entry));
    const change = { seq: this.seq, removed, entry };
    this.changes.set(`${tenantId} ${kind} ${key}`, change);
    return change;
  }

  private truthful(message: SubscribeResponse): SubscribeResponse {
    if (!this.lie) return message;
    const digest = 'f'.repeat(16);
    if (message.message === 'bookmark') {
      this.lie = false;
      return { message: 'bookmark', bookmark: { ...message.bookmark, digest } };
    }
    if (message.message !== 'snapshotEnd') return message;
    this.lie = false;
    return { message: 'snapshotEnd', snapshotEnd: { ...message.snapshotEnd, digest } };
  }
}

function sorted(changes: readonly Change[]): {
  upserts: readonly WireEntry[];
  removes: readonly WireEntryRef[];
} {
  return {
    upserts: changes.filter(({ removed }) => !removed).map(({ entry }) => entry),
    removes: changes.filter(({ removed }) => removed).map(({ entry }) => entry),
  };
}
