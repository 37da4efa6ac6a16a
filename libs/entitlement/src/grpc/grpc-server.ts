import { Server, ServerCredentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { GrpcObject, ServiceClientConstructor } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { CHECK_SERVICE, FEED_SERVICE, PROTO_DESCRIPTOR, PROTO_OPTIONS } from '@tallygate/contracts';
import type { Log } from '@tallygate/platform';
import type { CheckService } from '../service/check-service';
import type { FeedAccess } from '../service/feed-access';
import type { FeedService } from '../service/feed-service';
import { checkCall } from './check-call';
import { FeedCallHandler } from './feed-call';
import type { FeedCall } from './grpc-sink';

export interface GrpcOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** PEM; without it the server speaks plain HTTP/2, for loopback and meshes. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
}

export interface GrpcParts {
  readonly feed: FeedService;
  readonly checks: CheckService;
  readonly access: FeedAccess;
  readonly log: Log;
}

/** A gate that does not answer pings is gone within this time, so nothing waits for it longer. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 5_000, 'grpc.keepalive_timeout_ms': 3_000 };

/** Feed and checks over gRPC, on a port of their own. */
export class GrpcServer {
  private readonly server: Server;
  private bound: number | null = null;

  constructor(
    private readonly options: GrpcOptions,
    parts: GrpcParts,
  ) {
    this.server = new Server(KEEPALIVE);
    const services = loadPackageDefinition(fromJSON(PROTO_DESCRIPTOR, PROTO_OPTIONS));
    this.server.addService(serviceOf(services, FEED_SERVICE), {
      subscribe: (call: FeedCall) => new FeedCallHandler(call, parts).run(),
    });
    this.server.addService(serviceOf(services, CHECK_SERVICE), { check: checkCall(parts) });
  }

  /** The port it listens on; null before the start. */
  get port(): number | null {
    return this.bound;
  }

  async start(): Promise<void> {
    const { host, port, tls } = this.options;
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);
    this.bound = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(`${host}:${port}`, credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  }

  /** Streams never end by themselves, so they are cut; gates come back with their token. */
  stop(): void {
    this.server.forceShutdown();
  }
}

/** Finds `a.b.Service` in what grpc-js made of the descriptor. */
export function serviceOf(root: GrpcObject, name: string): ServiceClientConstructor['service'] {
  return clientOf(root, name).service;
}

export function clientOf(root: GrpcObject, name: string): ServiceClientConstructor {
  const found = name
    .split('.')
    .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], root);
  if (typeof found !== 'function') throw new Error(`The descriptor has no service ${name}`);
  return found as ServiceClientConstructor;
}
