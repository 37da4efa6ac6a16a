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

interface Rule {
  readonly path: string;
  readonly message: string;
  readonly holds: (given: Readonly<Record<string, unknown>>) => boolean;
}

/** What one variable demands of another. */
const RULES: readonly Rule[] = [
  {
    path: 'ENTITLEMENT_GRPC_URL',
    message: 'is needed, or ENTITLEMENT_URL',
    holds: (given) => given['ENTITLEMENT_GRPC_URL'] !== undefined || given['ENTITLEMENT_URL'] !== undefined,
  },
  {
    path: 'GATE_CREDENTIAL',
    message: 'is given beside GATE_API_KEY',
    holds: (given) => (given['GATE_CREDENTIAL'] === undefined) !== (given['GATE_API_KEY'] === undefined),
  },
  {
    path: 'KAFKA_BROKERS',
    message: 'is needed for USAGE=kafka',
    holds: (given) => given['USAGE'] !== 'kafka' || given['KAFKA_BROKERS'] !== undefined,
  },
  {
    path: 'INGESTION_URL',
    message: 'is needed for USAGE=http',
    holds: (given) => given['USAGE'] !== 'http' || given['INGESTION_URL'] !== undefined,
  },
  {
    path: 'GATE_API_KEY',
    message: 'is needed for USAGE=http',
    holds: (given) => given['USAGE'] !== 'http' || given['GATE_API_KEY'] !== undefined,
  },
  {
    path: 'ACCESS_LOG_STATE',
    message: 'is needed for ACCESS_LOG',
    holds: (given) => !readsLogs(given) || given['ACCESS_LOG_STATE'] !== undefined,
  },
  {
    path: 'USAGE',
    message: 'says where usage from ACCESS_LOG goes: kafka or http',
    holds: (given) => !readsLogs(given) || given['USAGE'] === 'kafka' || given['USAGE'] === 'http',
  },
  {
    path: 'USAGE_AUTHORIZED',
    message: 'reports the requests that are in ACCESS_LOG a second time: choose one of the two',
    holds: (given) => !readsLogs(given) || !isOn(given['USAGE_AUTHORIZED']),
  },
  {
    path: 'PROXY_UPSTREAM',
    message: 'reports usage of its own beside ACCESS_LOG: run an agent for each',
    holds: (given) => !readsLogs(given) || given['PROXY_UPSTREAM'] === undefined,
  },
];

function readsLogs(given: Readonly<Record<string, unknown>>): boolean {
  const logs = given['ACCESS_LOG'];
  return logs !== undefined && logs !== '' && !(Array.isArray(logs) && logs.length === 0);
}

/** Also as text: rules are checked where another variable is wrong, too. */
function isOn(flagged: unknown): boolean {
  return flagged === true || flagged === 'true';
}

/** Paths, separated by commas. */
const logPaths = z
  .string()
  .transform((text) => text.split(',').map((path) => path.trim()))
  .refine((paths) => paths.every((path) => path.startsWith('/')), 'is not a list of absolute paths')
  .meta({ fix: 'use paths such as /var/log/nginx/usage.log, separated by commas' });

/** Also checked where another variable is wrong already, so that every problem is reported at once. */
const ruleCheck = ({ path, message, holds }: Rule) =>
  z.refine((given: unknown) => holds(given as Record<string, unknown>), {
    path: [path],
    message,
    when: () => true,
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
      .meta({ fix: 'use an address such as grpcs://entitlement.example:4443, or set ENTITLEMENT_URL' })
      .optional(),
    ENTITLEMENT_URL: httpUrl.optional(),
    /** The installation's own gate credential, which sees every tenant; or a tenant's key of scope gate. */
    GATE_CREDENTIAL: secret
      .meta({ secret: true, fix: 'set the gate credential of the installation, or GATE_API_KEY, not both' })
      .optional(),
    GATE_API_KEY: secret
      .meta({ secret: true, fix: 'set a key of the tenant with scope gate, and usage:write for USAGE=http' })
      .optional(),
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
    /** Access logs of the gateway, in the format of infra/gateways, to report usage from. */
    ACCESS_LOG: logPaths.default([]),
    /** Folder for how far they were read, and for lines that were rejected. */
    ACCESS_LOG_STATE: z.string().optional(),
    KAFKA_BROKERS: kafkaBrokers.optional(),
    INGESTION_URL: httpUrl.optional(),
    /** Opens /internal: virtual clocks, and cutting the feed for a rehearsal. */
    INTERNAL_SECRET: secret.optional(),
  })
  .check(...RULES.map(ruleCheck));
export type GateConfig = z.output<typeof gateConfig>;
