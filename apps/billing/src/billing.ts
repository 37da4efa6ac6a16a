import {
  BillingModule,
  billingProvisioning,
  HttpClockPeer,
  HttpCollection,
  PgKeyDirectory,
} from '@tallygate/billing';
import {
  CachedKeyDirectory,
  createLog,
  createService,
  createServiceContext,
  KafkaEventBus,
  NoJobs,
  startTracing,
} from '@tallygate/platform';
import type { RunningService } from '@tallygate/platform';
import type { BillingConfig } from './config';

const name = 'billing';

/** The billing service as a process of its own, on Kafka and PostgreSQL. */
export async function startBilling(config: BillingConfig, handleSignals = true): Promise<RunningService> {
  const log = createLog({ name, level: config.LOG_LEVEL });
  const tracing = startTracing(name, config.OTEL_EXPORTER_OTLP_ENDPOINT);
  const bus = new KafkaEventBus({
    brokers: config.KAFKA_BROKERS,
    clientId: name,
    replicationFactor: config.KAFKA_TOPIC_REPLICATION,
    log,
  });
  const context = await createServiceContext({
    name,
    database: { url: config.DATABASE_URL, roleSecret: config.DATABASE_ROLE_SECRET },
    ...billingProvisioning,
    bus,
    queue: new NoJobs(),
    log,
  });
  const internalSecret = config.INTERNAL_SECRET;
  const billing = BillingModule.register(context, {
    collection: new HttpCollection({ dunningUrl: config.DUNNING_URL, internalSecret }),
    clockPeers: config.CLOCK_PEERS.map((peer) => new HttpClockPeer({ ...peer, internalSecret })),
  });
  return createService(billing, {
    name,
    config,
    contexts: [context],
    keyDirectory: new CachedKeyDirectory(new PgKeyDirectory(context.database)),
    log,
    closeLast: [() => bus.close(), tracing],
    handleSignals,
  });
}
