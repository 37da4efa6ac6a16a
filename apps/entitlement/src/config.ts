import { httpUrl, kafkaConfig, platformConfig, port, secret } from '@tallygate/platform';
import { z } from 'zod';

export const entitlementConfig = platformConfig.extend({
  ...kafkaConfig.shape,
  /** Who owns the API keys. */
  BILLING_URL: httpUrl,
  /** Where gates subscribe; a port of its own, since gRPC speaks HTTP/2. */
  GRPC_PORT: port.default(0),
  GRPC_HOST: z.string().default('127.0.0.1'),
  /** Written once the gRPC port is known, for launchers that asked for a free one. */
  GRPC_PORT_FILE: z.string().optional(),
  /** PEM files; both or none. */
  GRPC_TLS_CERT: z.string().optional(),
  GRPC_TLS_KEY: z.string().optional(),
  /** The credential of the installation's own gates, which see every tenant. */
  GATE_SECRET: secret,
});
export type EntitlementConfig = z.output<typeof entitlementConfig>;
