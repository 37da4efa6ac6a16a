import { NotificationModule, notificationProvisioning } from '@tallygate/notification';
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
import { notifierConfig } from './config';

const name = 'notifier';

void bootstrapOrExit(async () => {
  const config = loadConfig(notifierConfig, processEnvironment());
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
    ...notificationProvisioning,
    bus,
    queue,
    log,
  });
  const notification = NotificationModule.register(context, {
    smtp: { url: config.SMTP_URL, from: config.MAIL_FROM },
  });
  const keys = new HttpKeyDirectory({
    billingUrl: config.BILLING_URL,
    internalSecret: config.INTERNAL_SECRET,
  });
  await createService(notification, {
    name,
    config,
    contexts: [context],
    keyDirectory: new CachedKeyDirectory(keys),
    log,
    closeLast: [() => queue.close(), () => bus.close(), tracing],
  });
});
