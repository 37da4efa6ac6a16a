import type { DynamicModule } from '@nestjs/common';
import { CachedKeyDirectory } from '../auth/cached-key-directory';
import { HttpKeyDirectory } from '../auth/http-key-directory';
import type { KeyDirectory } from '../auth/principal';
import { KafkaEventBus } from '../bus/kafka-event-bus';
import type { PlatformConfig } from '../config/fields';
import { databaseServerCheck, kafkaCheck, redisCheck } from '../health/checks';
import type { ReadinessCheck } from '../health/readiness';
import { requireServers } from '../health/require-servers';
import type { SchemaProvisioning } from '../postgres/provision';
import { BullJobQueue } from '../queue/bull-job-queue';
import type { JobQueue } from '../queue/job-queue';
import { NoJobs } from '../queue/no-jobs';
import type { Log } from '../telemetry/log';
import { createLog } from '../telemetry/log';
import { startTracing } from '../telemetry/tracing';
import { createService } from './create-service';
import type { RunningService } from './create-service';
import { createServiceContext } from './service-context';
import type { ServiceContext } from './service-context';

export interface KafkaServiceConfig extends PlatformConfig {
  readonly KAFKA_BROKERS: readonly string[];
  readonly KAFKA_TOPIC_REPLICATION: number;
}

export interface KafkaServiceOptions {
  readonly name: string;
  readonly config: KafkaServiceConfig;
  readonly provisioning: SchemaProvisioning;
  /** Where the service's jobs are queued. Absent: it queues none and needs no Redis. */
  readonly redisUrl?: string;
  /** Who knows the API keys; its answers are cached. */
  readonly keys: (context: ServiceContext) => KeyDirectory;
  readonly register: (context: ServiceContext, keys: KeyDirectory) => DynamicModule | Promise<DynamicModule>;
  /** False in tests, whose process is not the service's. */
  readonly handleSignals?: boolean;
}

/**
 * One service as a process of its own, on Kafka, PostgreSQL and, if it queues jobs, Redis.
 * @throws MissingServers when one of them does not answer
 */
export async function runKafkaService(options: KafkaServiceOptions): Promise<RunningService> {
  const { name, config } = options;
  const log = createLog({ name, level: config.LOG_LEVEL });
  const tracing = startTracing(name, config.OTEL_EXPORTER_OTLP_ENDPOINT);
  const bus = kafkaBus(name, config, log);
  const { queue, checks } = jobQueue(options.redisUrl, log);
  checks.push(kafkaCheck(bus, config.KAFKA_BROKERS));
  await requireServers([databaseServerCheck(config.DATABASE_URL), ...checks], log);
  const context = await createServiceContext({
    name,
    database: { url: config.DATABASE_URL, roleSecret: config.DATABASE_ROLE_SECRET },
    ...options.provisioning,
    bus,
    queue,
    log,
  });
  const keyDirectory = new CachedKeyDirectory(options.keys(context));
  return createService(await options.register(context, keyDirectory), {
    name,
    config,
    contexts: [context],
    keyDirectory,
    checks,
    log,
    closeLast: [() => bus.close(), tracing],
    handleSignals: options.handleSignals,
  });
}

/** The keys of every service but billing, which owns them. */
export function keysOfBilling(config: {
  readonly BILLING_URL: string;
  readonly INTERNAL_SECRET: string;
}): KeyDirectory {
  return new HttpKeyDirectory({ billingUrl: config.BILLING_URL, internalSecret: config.INTERNAL_SECRET });
}

function kafkaBus(name: string, config: KafkaServiceConfig, log: Log): KafkaEventBus {
  return new KafkaEventBus({
    brokers: config.KAFKA_BROKERS,
    clientId: name,
    replicationFactor: config.KAFKA_TOPIC_REPLICATION,
    log,
  });
}

function jobQueue(url: string | undefined, log: Log): { queue: JobQueue; checks: ReadinessCheck[] } {
  if (url === undefined) return { queue: new NoJobs(), checks: [] };
  const queue = new BullJobQueue({ backend: { kind: 'redis', url }, log });
  return { queue, checks: [redisCheck(queue, url)] };
}
