import type { GrpcStatus } from '@tallygate/decision';

/**
 * A denial as gRPC's own headers: code and google.rpc.Status with ErrorInfo, Help and, where a repeat helps,
 * RetryInfo. The three messages are a few length-delimited fields, written here as the wire has them.
 */
export function grpcDenialHeaders(status: GrpcStatus): Record<string, string> {
  return {
    'grpc-status': String(status.code),
    'grpc-status-details-bin': encodeStatus(status).toString('base64').replace(/=+$/, ''),
  };
}

export function encodeStatus({ code, message, errorInfo, help, retryDelaySeconds }: GrpcStatus): Buffer {
  const details = [
    any('google.rpc.ErrorInfo', [
      text(1, errorInfo.reason),
      text(2, errorInfo.domain),
      ...Object.entries(errorInfo.metadata).map(([key, value]) => bytes(3, [text(1, key), text(2, value)])),
    ]),
    any(
      'google.rpc.Help',
      help.links.map(({ description, url }) => bytes(1, [text(1, description), text(2, url)])),
    ),
    ...(retryDelaySeconds === null
      ? []
      : [any('google.rpc.RetryInfo', [bytes(1, [number(1, retryDelaySeconds)])])]),
  ];
  return Buffer.concat([number(1, code), text(2, message), ...details.map((detail) => bytes(3, [detail]))]);
}

/** google.protobuf.Any */
function any(type: string, fields: readonly Buffer[]): Buffer {
  return Buffer.concat([text(1, `type.googleapis.com/${type}`), bytes(2, fields)]);
}

function text(field: number, value: string): Buffer {
  return bytes(field, [Buffer.from(value)]);
}

function bytes(field: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...out, rest]);
}
