import type { HelloMessage, SubscribeResponse, WireEntry, WireEntryRef } from '@tallygate/contracts';
import { FeedTransport } from '../service/feed-transport';
import type { FeedReceiver } from '../service/feed-transport';
import { readEvents, readLines } from './text-streams';

export interface HttpAddress {
  readonly url: string;
  readonly credential: string;
}

/** How the HTTP twins write an entry: snake_case, the payload as JSON and not as a text of it. */
interface EntryJson {
  readonly tenant_id: string;
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  readonly payload?: unknown;
}

const CHUNK = 500;

class TokenGone extends Error {
  constructor() {
    super('the feed no longer goes back to the token');
  }
}

/**
 * The feed where only HTTP gets through: a snapshot as lines of JSON, then changes and bookmarks as server-sent events,
 * acknowledged one by one. A token that is gone means a new snapshot; so does whatever could not be applied.
 */
export class HttpFeed extends FeedTransport {
  override readonly name = 'http';

  constructor(private readonly address: HttpAddress) {
    super();
  }

  override async follow(hello: HelloMessage, receive: FeedReceiver, stop: AbortSignal): Promise<void> {
    const token = hello.resumeToken === '' ? await this.snapshot(hello, receive, stop) : hello.resumeToken;
    await this.changes(hello, token, receive, stop).catch(async (error: unknown) => {
      if (!(error instanceof TokenGone)) throw error;
      receive({ message: 'reset', reset: { cause: error.message } });
      await this.changes(hello, await this.snapshot(hello, receive, stop), receive, stop);
    });
  }

  override close(): void {}

  private async snapshot(
    { gateId }: HelloMessage,
    receive: FeedReceiver,
    stop: AbortSignal,
  ): Promise<string> {
    const response = await this.get('/v1/feed/snapshot', {}, stop);
    receive({ message: 'snapshotBegin', snapshotBegin: { token: '' } });
    let entries: WireEntry[] = [];
    for await (const text of readLines(response)) {
      const line = JSON.parse(text) as { type: string; token: string; digest: string } & EntryJson;
      if (line.type === 'entry') entries.push(entryOf(line));
      if (entries.length >= CHUNK || (line.type === 'snapshot_end' && entries.length > 0)) {
        receive({ message: 'snapshotChunk', snapshotChunk: { entries } });
        entries = [];
      }
      if (line.type !== 'snapshot_end') continue;
      const { token, digest } = line;
      await this.answer(gateId, receive, { message: 'snapshotEnd', snapshotEnd: { token, digest } }, stop);
      return token;
    }
    throw new Error('the snapshot broke off');
  }

  private async changes(
    { gateId }: HelloMessage,
    token: string,
    receive: FeedReceiver,
    stop: AbortSignal,
  ): Promise<void> {
    const query = new URLSearchParams({ token, gate: gateId });
    const response = await this.get(`/v1/feed/changes?${query}`, { accept: 'text/event-stream' }, stop);
    for await (const { event, data } of readEvents(response)) {
      const message = messageOf(event, JSON.parse(data) as never);
      if (message !== null) await this.answer(gateId, receive, message, stop);
    }
  }

  private async answer(
    gate: string,
    receive: FeedReceiver,
    message: SubscribeResponse,
    stop: AbortSignal,
  ): Promise<void> {
    const reply = receive(message);
    if (reply?.message === 'nack') throw new TokenGone();
    if (reply?.message !== 'ack') return;
    await fetch(`${this.address.url}/v1/feed/ack`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.address.credential}`, 'content-type': 'application/json' },
      body: JSON.stringify({ gate, ...reply.ack }),
      signal: stop,
    });
  }

  private async get(path: string, headers: Record<string, string>, stop: AbortSignal): Promise<Response> {
    const response = await fetch(`${this.address.url}${path}`, {
      headers: { authorization: `Bearer ${this.address.credential}`, ...headers },
      signal: stop,
    });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 410) throw new TokenGone();
    throw new Error(`${path.split('?')[0]} answered ${response.status}`);
  }
}

type ChangeJson = {
  readonly from: string;
  readonly to: string;
  readonly upserts: readonly EntryJson[];
  readonly removes: readonly EntryJson[];
} & { readonly token: string; readonly digest: string | null; readonly server_time_micros: number };

function messageOf(event: string, data: ChangeJson): SubscribeResponse | null {
  if (event === 'delta') {
    const { from, to, upserts, removes } = data;
    return {
      message: 'delta',
      delta: { from, to, upserts: upserts.map(entryOf), removes: removes.map(refOf) },
    };
  }
  if (event !== 'bookmark') return null;
  const { token, digest, server_time_micros: serverTimeMicros } = data;
  return { message: 'bookmark', bookmark: { token, digest: digest ?? '', serverTimeMicros } };
}

function entryOf(entry: EntryJson): WireEntry {
  return { ...refOf(entry), payload: JSON.stringify(entry.payload) };
}

function refOf({ tenant_id: tenantId, kind, key, version }: EntryJson): WireEntryRef {
  return { tenantId, kind, key, version };
}
