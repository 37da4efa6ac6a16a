import type { Decision } from './decision';
import { detailOf } from './describe';
import { actionUrl, linksOf } from './links';

/** Numbers of google.rpc.Code. */
export const GRPC_CODES = {
  OK: 0,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;
export type GrpcCode = (typeof GRPC_CODES)[keyof typeof GRPC_CODES];

/** google.rpc.Status with its details, before encoding. */
export interface GrpcStatus {
  readonly code: GrpcCode;
  readonly message: string;
  readonly errorInfo: {
    readonly reason: string;
    readonly domain: string;
    readonly metadata: Record<string, string>;
  };
  readonly help: { readonly links: readonly { readonly description: string; readonly url: string }[] };
  /** Seconds; null where a repeat does not help. A 402 never carries it. */
  readonly retryDelaySeconds: number | null;
}

const DOMAIN = 'tallygate';

const CODE_OF_STATUS: Readonly<Record<number, GrpcCode>> = {
  401: GRPC_CODES.UNAUTHENTICATED,
  402: GRPC_CODES.RESOURCE_EXHAUSTED,
  403: GRPC_CODES.PERMISSION_DENIED,
  429: GRPC_CODES.RESOURCE_EXHAUSTED,
  503: GRPC_CODES.UNAVAILABLE,
};

/** A decision in gRPC's terms (semantics §7 "gRPC"); OK for a pass. */
export function grpcStatus(decision: Decision): GrpcStatus {
  const code = decision.allow ? GRPC_CODES.OK : (CODE_OF_STATUS[decision.status] ?? GRPC_CODES.UNAVAILABLE);
  return {
    code,
    message: decision.allow ? '' : detailOf(decision),
    errorInfo: { reason: decision.reason.toUpperCase(), domain: DOMAIN, metadata: metadataOf(decision) },
    help: { links: helpLinks(decision) },
    retryDelaySeconds: decision.retryAfter,
  };
}

function metadataOf(decision: Decision): Record<string, string> {
  const metadata: Record<string, string> = { billing_gate_reason: decision.reason };
  if (decision.action !== null) metadata['action'] = decision.action;
  if (decision.feature !== null) metadata['feature'] = decision.feature;
  return metadata;
}

function helpLinks(decision: Decision): GrpcStatus['help']['links'] {
  const url = actionUrl(decision);
  const { docs } = linksOf(decision);
  return [
    ...(url === null ? [] : [{ description: decision.action ?? 'resolve', url }]),
    ...(docs === null ? [] : [{ description: 'What this means', url: docs }]),
  ];
}
