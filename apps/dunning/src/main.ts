import { DunningModule, dunningProvisioning } from '@tallygate/dunning';
import {
  bootstrapOrExit,
  BullJobQueue,
  CachedKeyDirectory,
  createLog,
  createService,
  createServiceContext,
  HttpKeyDirectory,
  KafkaEventBus,
  loadConfig,
  processEnvironment,
  startTracing,
} from '@tallygate/platform';
import { dunningConfig } from './config';

const name = 'dunning';

void bootstrapOrExit(async () => {
  const config = loadConfig(dunningConfig, processEnvironment());
  const log = createLog({ name, level: config.LOG_LEVEL });
  const tracing = startTracing(name, config.OTEL_EXPORTER_OTLP_ENDPOINT);
  const bus = new KafkaEventBus({
    brokers: config.KAFKA_BROKERS,
    clientId: name,
    replicationFactor: config.KAFKA_TOPIC_REPLICATION,
    log,
  });
  const queue = new BullJobQueue({ backend: { kind: 'redis', url: config.REDIS_URL }, log });
  const context = await createServiceContext({
    name,
    database: { url: config.DATABASE_URL, roleSecret: config.DATABASE_ROLE_SECRET },
    ...dunningProvisioning,
    bus,
    queue,
    log,
  });
  const dunning = DunningModule.register(context, {
    internalSecret: config.INTERNAL_SECRET,
    provider: { url: config.SANDBOX_URL, webhookSecret: config.SANDBOX_WEBHOOK_SECRET },
  });
  const keys = new HttpKeyDirectory({
    billingUrl: config.BILLING_URL,
    internalSecret: config.INTERNAL_SECRET,
  });
  await createService(dunning, {
    name,
    config,
    contexts: [context],
    keyDirectory: new CachedKeyDirectory(keys),
    log,
    closeLast: [() => queue.close(), () => bus.close(), tracing],
  });
});
