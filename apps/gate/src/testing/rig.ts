import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { DecisionRequest } from '@tallygate/decision';
import { LiveCheck, MemoryFeed, sample } from '@tallygate/gate-sdk';
import type { LiveAnswer } from '@tallygate/gate-sdk';
import { SystemClock } from '@tallygate/kernel';
import { startGate } from '../gate';
import type { RunningGate, StartGate } from '../gate';

/** The service behind the gateway: remembers what reached it. */
export class Upstream {
  readonly requests: {
    readonly url: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }[] = [];
  status = 200;
  headers: Record<string, string> = {};

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Upstream> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        upstream.requests.push({ url: request.url ?? '', headers: request.headers, body });
        response.writeHead(upstream.status, upstream.headers).end('served');
      });
    });
    const upstream = new Upstream(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** Says of every key but one that nobody has it; about that one it is not answered. */
export class NobodyHasIt extends LiveCheck {
  override async check({ identity }: DecisionRequest): Promise<LiveAnswer | null> {
    if (identity.kind === 'credential' && identity.hash === sample.hashOf('unanswered')) return null;
    const said = { allow: false, status: 401, reason: 'credential_unknown' as const };
    return { ...said, decisionId: 'of-the-service', headers: {}, problem: '{}' };
  }

  override close(): void {}
}

export const INTERNAL_SECRET = 'internal-secret-of-a-test';

export interface Rig {
  readonly feed: MemoryFeed;
  readonly gate: RunningGate;
}

/** An agent that follows a feed in memory, heard of before the first request. */
export async function startRig(options: Partial<StartGate> = {}): Promise<Rig> {
  const feed = new MemoryFeed(new SystemClock());
  const gate = await startGate({
    port: 0,
    grpcPort: 0,
    internalSecret: INTERNAL_SECRET,
    ...options,
    client: {
      gateId: 'gate-1',
      credential: 'a-credential-of-a-test',
      transports: [feed],
      liveCheck: new NobodyHasIt(),
      ...options.client,
    },
  });
  await gate.client.until(({ up }) => up);
  return { feed, gate };
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> | null;
  readonly text: string;
}

export async function call(url: string, init: RequestInit = {}): Promise<Answered> {
  const response = await fetch(url, init);
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: json ? (JSON.parse(text) as Record<string, unknown>) : null,
    text,
  };
}
