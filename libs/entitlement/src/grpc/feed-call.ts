import { status } from '@grpc/grpc-js';
import type { Metadata } from '@grpc/grpc-js';
import type { HelloMessage, SubscribeRequest } from '@tallygate/contracts';
import type { Log } from '@tallygate/platform';
import { bearerOf, tenantInScope } from '../service/feed-access';
import type { FeedAccess } from '../service/feed-access';
import type { FeedService, OpenFeed } from '../service/feed-service';
import { GrpcSink } from './grpc-sink';
import type { FeedCall } from './grpc-sink';

interface FeedCallParts {
  readonly feed: FeedService;
  readonly access: FeedAccess;
  readonly log: Log;
}

/** One gate's stream, from its Hello to its end. A Nack starts over with a snapshot. */
export class FeedCallHandler {
  private open: OpenFeed | null = null;
  private hello: HelloMessage | null = null;
  private ended = false;
  private readonly sink: GrpcSink;

  constructor(
    private readonly call: FeedCall,
    private readonly parts: FeedCallParts,
  ) {
    this.sink = new GrpcSink(call);
  }

  run(): void {
    this.call.on('data', (message: SubscribeRequest) => this.take(message));
    this.call.on('end', () => this.end());
    for (const gone of ['cancelled', 'close', 'error']) this.call.on(gone, () => this.leave());
  }

  private take(message: SubscribeRequest): void {
    switch (message.message) {
      case 'hello':
        return this.start(message.hello);
      case 'ack':
        return this.open?.ack(message.ack.token, message.ack.digest);
      case 'nack':
        this.parts.log.warn(
          { gate: this.hello?.gateId, problem: message.nack.problem },
          'a gate refused entries',
        );
        this.leave();
        this.ended = false;
        if (this.hello !== null) this.start({ ...this.hello, resumeToken: '', digest: '' });
    }
  }

  private start(hello: HelloMessage): void {
    if (this.open !== null) return this.fail(status.FAILED_PRECONDITION, 'Hello was sent already.');
    this.hello = hello;
    this.subscribe(hello).catch((error: unknown) => {
      this.parts.log.warn({ err: error, gate: hello.gateId }, 'a feed ended');
      this.fail(status.UNAVAILABLE, 'The feed cannot be served just now.');
    });
  }

  private async subscribe(hello: HelloMessage): Promise<void> {
    const granted = await this.parts.access.of(credentialOf(this.call.metadata), ['gate']);
    if (granted.outcome === 'refused') {
      const code = granted.status === 401 ? status.UNAUTHENTICATED : status.PERMISSION_DENIED;
      return this.fail(code, granted.problem);
    }
    const tenantId = tenantInScope(granted.tenantId, hello.tenantId === '' ? null : hello.tenantId);
    if (tenantId === 'forbidden') return this.fail(status.PERMISSION_DENIED, 'The key is of another tenant.');
    if (hello.gateId === '') return this.fail(status.INVALID_ARGUMENT, 'Hello needs a gate_id.');
    const open = await this.parts.feed.subscribe(hello, tenantId, this.sink);
    if (this.ended) open.end();
    else this.open = open;
  }

  private fail(code: status, details: string): void {
    this.leave();
    this.call.emit('error', { code, details });
  }

  private end(): void {
    this.leave();
    this.call.end();
  }

  private leave(): void {
    this.ended = true;
    this.open?.end();
    this.open = null;
  }
}

export function credentialOf(metadata: Metadata): string | null {
  const [header] = metadata.get('authorization');
  return bearerOf(typeof header === 'string' ? header : undefined);
}
