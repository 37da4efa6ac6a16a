import { count, durationMs, flag, httpUrl, kafkaBrokers, logLevel, port, secret } from '@tallygate/platform';
import { z } from 'zod';
import { routesSchema } from './http/route';

/** Routes as JSON text. */
export const proxyRoutes = z
  .string()
  .transform((text, issues) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      issues.addIssue({ code: 'custom', message: 'is not JSON' });
      return z.NEVER;
    }
  })
  .pipe(routesSchema)
  .meta({
    fix: 'use a JSON list such as [{"prefix":"/v1","feature":"completions","units_header":"x-units"}]',
  });

export const gateConfig = z
  .object({
    HOST: z.string().default('127.0.0.1'),
    PORT: port.default(4001),
    /** Written once the port is known, for launchers that asked for a free one. */
    PORT_FILE: z.string().optional(),
    LOG_LEVEL: logLevel.default('info'),
    /** One name per running gate; also the source of the usage it reports. */
    GATE_ID: z
      .string()
      .regex(/^[\w.:-]{1,128}$/, 'is not a name of at most 128 letters, digits, and . : - _')
      .meta({ fix: 'give each running gate a name of its own, for example its host name' }),
    /** Where to follow the feed: gRPC, with HTTP as the fallback; or HTTP alone. */
    ENTITLEMENT_GRPC_URL: z
      .string()
      .regex(/^(?:grpcs?:\/\/)?[^\s/]+:\d{1,5}$/, 'is not host:port, grpc://host:port or grpcs://host:port')
      .meta({ fix: 'use an address such as grpcs://entitlement.example:4443' })
      .optional(),
    ENTITLEMENT_URL: httpUrl.optional(),
    /** The installation's own gate credential, which sees every tenant; or a tenant's key of scope gate. */
    GATE_CREDENTIAL: secret.optional(),
    GATE_API_KEY: secret.optional(),
    /** The only tenant of this gate. */
    GATE_TENANT: z.uuid('is not a UUID').meta({ fix: 'use the id of the tenant' }).optional(),
    /** Envoy's ext_authz over gRPC. */
    GATE_GRPC_PORT: port.optional(),
    /** How many gates share the traffic: each lets its share of every rate limit pass. */
    GATE_COUNT: count.refine((n) => n > 0, 'is not above 0').default(1),
    LIVE_CHECK_MS: durationMs.default(20),
    DISK_COPY: z.string().optional(),
    PROXY_UPSTREAM: httpUrl.optional(),
    PROXY_PORT: port.default(4003),
    PROXY_ROUTES: proxyRoutes.default([]),
    /** Where usage goes of what passed: nowhere, to Kafka, or to ingestion over HTTP. */
    USAGE: z
      .enum(['none', 'kafka', 'http'], 'is not one of none, kafka, http')
      .meta({ fix: 'use one of none, kafka, http' })
      .default('none'),
    /** Reports what /authorize let through, for gateways that do not report it themselves. */
    USAGE_AUTHORIZED: flag.default(false),
    USAGE_SPOOL: z.string().optional(),
    KAFKA_BROKERS: kafkaBrokers.optional(),
    INGESTION_URL: httpUrl.optional(),
    /** Opens /internal: virtual clocks, and cutting the feed for a rehearsal. */
    INTERNAL_SECRET: secret.optional(),
  })
  .superRefine((config, issues) => {
    const missing = (path: string, message: string) =>
      issues.addIssue({ code: 'custom', path: [path], message });
    if (config.ENTITLEMENT_GRPC_URL === undefined && config.ENTITLEMENT_URL === undefined) {
      missing('ENTITLEMENT_GRPC_URL', 'is needed, or ENTITLEMENT_URL');
    }
    if ((config.GATE_CREDENTIAL === undefined) === (config.GATE_API_KEY === undefined)) {
      missing('GATE_CREDENTIAL', 'is needed, or GATE_API_KEY, and not both');
    }
    if (config.USAGE === 'kafka' && config.KAFKA_BROKERS === undefined)
      missing('KAFKA_BROKERS', 'is needed for USAGE=kafka');
    if (config.USAGE !== 'http') return;
    if (config.INGESTION_URL === undefined) missing('INGESTION_URL', 'is needed for USAGE=http');
    if (config.GATE_API_KEY === undefined)
      missing('GATE_API_KEY', 'is needed for USAGE=http, with scope usage:write');
  });
export type GateConfig = z.output<typeof gateConfig>;
