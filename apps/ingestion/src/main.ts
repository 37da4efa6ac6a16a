import { IngestionModule, ingestionProvisioning } from '@tallygate/metering';
import {
  bootstrapOrExit,
  CachedKeyDirectory,
  createLog,
  createService,
  createServiceContext,
  HttpKeyDirectory,
  kafkaCheck,
  KafkaEventBus,
  loadConfig,
  NoJobs,
  processEnvironment,
  startTracing,
} from '@tallygate/platform';
import { ingestionConfig } from './config';

const name = 'ingestion';

void bootstrapOrExit(async () => {
  const config = loadConfig(ingestionConfig, processEnvironment());
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
    ...ingestionProvisioning,
    bus,
    queue: new NoJobs(),
    log,
  });
  const { BILLING_URL: billingUrl, LEDGER_URL: ledgerUrl, INTERNAL_SECRET: internalSecret } = config;
  await createService(IngestionModule.register(context, { identities: { ledgerUrl, internalSecret } }), {
    name,
    config,
    contexts: [context],
    keyDirectory: new CachedKeyDirectory(new HttpKeyDirectory({ billingUrl, internalSecret })),
    checks: [kafkaCheck(bus, config.KAFKA_BROKERS)],
    log,
    closeLast: [() => bus.close(), tracing],
  });
});
