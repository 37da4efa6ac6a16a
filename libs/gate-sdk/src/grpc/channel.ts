import { Metadata, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ChannelCredentials, ChannelOptions, GrpcObject, ServiceClientConstructor } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { PROTO_DESCRIPTOR, PROTO_OPTIONS } from '@tallygate/contracts';

export interface GrpcAddress {
  /** `host:port`, or `grpc://…` in clear, or `grpcs://…` over TLS. */
  readonly url: string;
  readonly credential: string;
}

const PACKAGE = loadPackageDefinition(fromJSON(PROTO_DESCRIPTOR, PROTO_OPTIONS));

/** A peer that does not answer pings is gone within seconds; one that comes back is found within one. */
const OPTIONS: ChannelOptions = {
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': -1,
};

export function grpcClient(service: string, { url }: GrpcAddress): InstanceType<ServiceClientConstructor> {
  const [, scheme, address] = /^(?:(grpcs?|https?):\/\/)?(.+?)\/?$/.exec(url) ?? [];
  return new (clientOf(PACKAGE, service))(address ?? url, channelCredentials(scheme), OPTIONS);
}

function channelCredentials(scheme: string | undefined): ChannelCredentials {
  return scheme === 'grpcs' || scheme === 'https' ? credentials.createSsl() : credentials.createInsecure();
}

export function bearer({ credential }: GrpcAddress): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${credential}`);
  return metadata;
}

function clientOf(root: GrpcObject, name: string): ServiceClientConstructor {
  const found = name
    .split('.')
    .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], root);
  if (typeof found !== 'function') throw new Error(`The descriptor has no service ${name}`);
  return found as ServiceClientConstructor;
}
