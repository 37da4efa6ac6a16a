import { loadPackageDefinition, credentials, Metadata } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type {
  BillingEvent,
  CheckRequestMessage,
  CheckResponseMessage,
  DunningEvent,
  LedgerEvent,
  SubscribeRequest,
  SubscribeResponse,
} from '@tallygate/contracts';
import {
  CHECK_SERVICE,
  FEED_SERVICE,
  PROTO_DESCRIPTOR,
  PROTO_OPTIONS,
  TOPICS,
  encodeEvent,
} from '@tallygate/contracts';
import {
  InProcessEventBus,
  KeyDirectory,
  NoJobs,
  Signal,
  createService,
  createServiceContext,
  hashApiKey,
} from '@tallygate/platform';
import type { Principal, RunningService, ServiceContext, TestDatabase } from '@tallygate/platform';
import { EntitlementModule, entitlementProvisioning } from '../entitlement.module';
import { Replica, entriesOfDelta, entryFromWire, positionOf, tokenOf } from '../domain';
import type { Position } from '../domain';
import { GrpcServer, clientOf } from '../grpc/grpc-server';
import { GateRegistry } from '../service/gate-registry';
import { Propagation } from '../service/propagation';

export const GATE_SECRET = 'the-gates-of-this-installation';

class GivenKeys extends KeyDirectory {
  constructor(private readonly keys: ReadonlyMap<string, Principal>) {
    super();
  }

  override async find(hash: string): Promise<Principal | null> {
    return this.keys.get(hash) ?? null;
  }
}

export function apiKeyOf(tenantId: string): string {
  return `tg_test_${tenantId.replaceAll('-', '')}`;
}

/** The service on a real database, with HTTP and gRPC on free ports and an in-process bus to publish on. */
export class ServiceUnderTest {
  private constructor(
    readonly context: ServiceContext,
    readonly bus: InProcessEventBus,
    private readonly running: RunningService,
  ) {}

  static async start(database: TestDatabase, tenants: readonly string[]): Promise<ServiceUnderTest> {
    const bus = new InProcessEventBus();
    const context = await createServiceContext({
      name: 'entitlement',
      database: { url: database.url, roleSecret: database.roleSecret, provision: false },
      ...entitlementProvisioning,
      bus,
      queue: new NoJobs(),
    });
    const keyDirectory = keysOf(tenants);
    const module = EntitlementModule.register(context, {
      keyDirectory,
      gateSecret: GATE_SECRET,
      grpc: { host: '127.0.0.1', port: 0 },
    });
    const config = {
      PORT: 0,
      INTERNAL_SECRET: 'x'.repeat(16),
      ROOT_KEY: 'y'.repeat(16),
      LOG_LEVEL: 'silent',
    };
    const running = await createService(module, {
      name: 'entitlement',
      config,
      contexts: [context],
      keyDirectory,
      handleSignals: false,
    });
    return new ServiceUnderTest(context, bus, running);
  }

  get url(): string {
    return this.running.url;
  }

  get grpcAddress(): string {
    return `127.0.0.1:${this.running.app.get(GrpcServer, { strict: false }).port}`;
  }

  get propagation(): Propagation {
    return this.running.app.get(Propagation, { strict: false });
  }

  get registry(): GateRegistry {
    return this.running.app.get(GateRegistry, { strict: false });
  }

  async publish(
    topic: string,
    ...events: readonly (BillingEvent | LedgerEvent | DunningEvent)[]
  ): Promise<void> {
    const messages = events.map((event) => ({ key: event.tenantId, ...encodeEvent(event) }));
    await this.bus.publish(topic, messages);
  }

  async get(path: string, key: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${key}`, ...headers } });
  }

  async post(path: string, key: string, body: unknown): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  async stop(): Promise<void> {
    await this.running.close();
    await this.bus.close();
  }
}

function keysOf(tenants: readonly string[]): KeyDirectory {
  const principals = tenants.map((tenantId): [string, Principal] => [
    hashApiKey(apiKeyOf(tenantId)),
    { tenantId, mode: 'test', keyId: tenantId, scopes: ['gate', 'read'] },
  ]);
  return new GivenKeys(new Map(principals));
}

type FeedStream = ClientDuplexStream<Partial<SubscribeRequest>, SubscribeResponse>;
type CheckCall = (
  request: Partial<CheckRequestMessage>,
  metadata: Metadata,
  done: (error: ServiceError | null, answer: CheckResponseMessage) => void,
) => void;

const PACKAGE = loadPackageDefinition(fromJSON(PROTO_DESCRIPTOR, PROTO_OPTIONS));

function metadataOf(credential: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${credential}`);
  return metadata;
}

export function checkOver(
  address: string,
  credential: string,
  request: Partial<CheckRequestMessage>,
): Promise<CheckResponseMessage> {
  const client = new (clientOf(PACKAGE, CHECK_SERVICE))(address, credentials.createInsecure());
  const call = (client['check'] as unknown as CheckCall).bind(client);
  return new Promise<CheckResponseMessage>((resolve, reject) => {
    call(request, metadataOf(credential), (error, answer) =>
      error === null ? resolve(answer) : reject(error),
    );
  }).finally(() => client.close());
}

export interface GateOptions {
  readonly credential?: string;
  readonly tenantId?: string;
  readonly resume?: { readonly replica: Replica; readonly token: string };
  /** False: takes everything and acknowledges nothing. */
  readonly acks?: boolean;
}

/** A gate over gRPC: a replica that follows, keeps every message, and acknowledges what it applied. */
export class TestGate {
  readonly messages: SubscribeResponse[] = [];
  readonly replica: Replica;
  error: ServiceError | null = null;
  private readonly changed = new Signal();
  private readonly stream: FeedStream;
  private readonly close: () => void;

  constructor(
    address: string,
    readonly id: string,
    private readonly options: GateOptions = {},
  ) {
    this.replica = options.resume?.replica ?? new Replica();
    const client = new (clientOf(PACKAGE, FEED_SERVICE))(address, credentials.createInsecure());
    const open = client['subscribe'] as unknown as (metadata: Metadata) => FeedStream;
    this.stream = open.call(client, metadataOf(options.credential ?? GATE_SECRET));
    this.close = () => client.close();
    this.stream.on('data', (message: SubscribeResponse) => this.take(message));
    this.stream.on('error', (error: ServiceError) => {
      this.error = error;
      this.changed.raise();
    });
    this.stream.write({
      hello: {
        gateId: id,
        tenantId: options.tenantId ?? '',
        resumeToken: options.resume?.token ?? '',
        digest: options.resume === undefined ? '' : (this.replica.digest ?? ''),
      },
    });
  }

  get token(): string {
    return tokenOf(this.replica.position as Position);
  }

  kinds(): readonly string[] {
    return this.messages.map(({ message }) => message);
  }

  nack(problem: string): void {
    this.stream.write({ nack: { token: this.token, problem, entries: [] } });
  }

  async until(holds: (gate: TestGate) => boolean): Promise<void> {
    for (;;) {
      const next = this.changed.next();
      if (holds(this)) return;
      if (this.error !== null) throw this.error;
      await next;
    }
  }

  leave(): void {
    this.stream.cancel();
    this.close();
  }

  private take(message: SubscribeResponse): void {
    this.messages.push(message);
    this.apply(message);
    this.changed.raise();
  }

  private apply(message: SubscribeResponse): void {
    switch (message.message) {
      case 'snapshotBegin':
        return this.replica.snapshotBegin();
      case 'snapshotChunk':
        return this.replica.snapshotChunk(message.snapshotChunk.entries.map(entryFromWire));
      case 'snapshotEnd':
        this.replica.snapshotEnd(position(message.snapshotEnd.token), message.snapshotEnd.digest);
        return this.ack(message.snapshotEnd.token);
      case 'delta':
        this.replica.delta(entriesOfDelta(message.delta), position(message.delta.to));
        return this.ack(message.delta.to);
      case 'bookmark':
        return this.ack(message.bookmark.token);
      case 'reset':
        return;
    }
  }

  private ack(token: string): void {
    if (this.options.acks === false) return;
    this.stream.write({ ack: { token, digest: this.replica.digest ?? '' } });
  }
}

function position(token: string): Position {
  return positionOf(token) as Position;
}

export { TOPICS };
