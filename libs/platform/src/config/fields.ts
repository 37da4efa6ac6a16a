import { z } from 'zod';

/** Shared pieces of configuration schemas. Each says how to put it right, which `loadConfig` prints. */

export const port = z
  .string()
  .regex(/^\d{1,5}$/, 'is not a port number')
  .transform(Number)
  .refine((n) => n <= 65_535, 'is above 65535')
  .meta({ fix: 'use a number from 0 to 65535; 0 takes a free port' });

export function url(protocols: readonly string[], example: string) {
  return z
    .string()
    .refine((text) => hasProtocol(text, protocols), `is not a ${protocols.join(' or ')} URL`)
    .meta({ fix: `use a URL such as ${example}` });
}

function hasProtocol(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol.replace(/:$/, ''));
}

export const httpUrl = url(['http', 'https'], 'http://localhost:3000');
export const databaseUrl = url(
  ['postgres', 'postgresql'],
  'postgres://user:password@localhost:5432/tallygate',
);
export const redisUrl = url(['redis', 'rediss'], 'redis://localhost:6379');

export const kafkaBrokers = z
  .string()
  .transform((text) => text.split(',').map((broker) => broker.trim()))
  .refine(
    (brokers) => brokers.every((broker) => /^[^\s:/]+:\d{1,5}$/.test(broker)),
    'is not a list of host:port',
  )
  .meta({ fix: 'list brokers as host:port,host:port, for example localhost:9092' });

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export const logLevel = z
  .enum(LOG_LEVELS, `is not one of ${LOG_LEVELS.join(', ')}`)
  .meta({ fix: `use one of ${LOG_LEVELS.join(', ')}` });

export const durationMs = z
  .string()
  .regex(/^\d{1,12}$/, 'is not a whole number of milliseconds')
  .transform(Number)
  .meta({ fix: 'use whole milliseconds, for example 500' });

export const count = z
  .string()
  .regex(/^\d{1,9}$/, 'is not a whole number')
  .transform(Number)
  .meta({ fix: 'use a whole number, for example 10' });

export const flag = z
  .enum(['true', 'false'], 'is neither true nor false')
  .transform((text) => text === 'true')
  .meta({ fix: 'use true or false' });

/** Long enough that guessing is hopeless; an installer generates it once. */
export const secret = z
  .string()
  .min(16, 'is shorter than 16 characters')
  .meta({ secret: true, fix: 'use at least 16 random characters, for example from: openssl rand -hex 32' });

/** What every service reads; a service's schema extends it with `.extend({ … })`. */
export const platformConfig = z.object({
  PORT: port.default(0),
  HOST: z.string().default('127.0.0.1'),
  PORT_FILE: z.string().optional(),
  LOG_LEVEL: logLevel.default('info'),
  DATABASE_URL: databaseUrl,
  DATABASE_ROLE_SECRET: secret,
  INTERNAL_SECRET: secret,
  ROOT_KEY: secret,
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  /** For tests: an answer that the OpenAPI document does not foresee becomes a 500. */
  CHECK_ANSWERS: flag.default(false),
});
export type PlatformConfig = z.infer<typeof platformConfig>;

/** The production path: Kafka and Redis. */
export const kafkaConfig = z.object({
  KAFKA_BROKERS: kafkaBrokers,
  KAFKA_TOPIC_REPLICATION: count.default(1),
});
export const redisConfig = z.object({ REDIS_URL: redisUrl });
