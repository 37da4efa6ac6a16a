import {
  BillingModule,
  billingProvisioning,
  HttpClockPeer,
  HttpCollection,
  PgKeyDirectory,
} from '@tallygate/billing';
import {
  bootstrapOrExit,
  BullJobQueue,
  CachedKeyDirectory,
  createLog,
  createService,
  createServiceContext,
  KafkaEventBus,
  loadConfig,
  processEnvironment,
  startTracing,
} from '@tallygate/platform';
import { billingConfig } from './config';

const name = 'billing';

void bootstrapOrExit(async () => {
  const config = loadConfig(billingConfig, processEnvironment());
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
    ...billingProvisioning,
    bus,
    queue,
    log,
  });
  const internalSecret = config.INTERNAL_SECRET;
  const billing = BillingModule.register(context, {
    collection: new HttpCollection({ dunningUrl: config.DUNNING_URL, internalSecret }),
    clockPeers: config.CLOCK_PEERS.map((peer) => new HttpClockPeer({ ...peer, internalSecret })),
  });
  await createService(billing, {
    name,
    config,
    contexts: [context],
    keyDirectory: new CachedKeyDirectory(new PgKeyDirectory(context.database)),
    log,
    closeLast: [() => queue.close(), () => bus.close(), tracing],
  });
});
