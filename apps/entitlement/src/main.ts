import { readFile, writeFile } from 'node:fs/promises';
import { EntitlementModule, GrpcServer, entitlementProvisioning } from '@tallygate/entitlement';
import type { GrpcOptions } from '@tallygate/entitlement';
import {
  CachedKeyDirectory,
  HttpKeyDirectory,
  KafkaEventBus,
  NoJobs,
  bootstrapOrExit,
  createLog,
  createService,
  createServiceContext,
  loadConfig,
  processEnvironment,
  startTracing,
} from '@tallygate/platform';
import { entitlementConfig } from './config';
import type { EntitlementConfig } from './config';

const name = 'entitlement';

void bootstrapOrExit(async () => {
  const config = loadConfig(entitlementConfig, processEnvironment());
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
    ...entitlementProvisioning,
    bus,
    queue: new NoJobs(),
    log,
  });
  const keyDirectory = new CachedKeyDirectory(
    new HttpKeyDirectory({ billingUrl: config.BILLING_URL, internalSecret: config.INTERNAL_SECRET }),
  );
  const grpc = await grpcOptions(config);
  const module = EntitlementModule.register(context, { keyDirectory, gateSecret: config.GATE_SECRET, grpc });
  const { app } = await createService(module, {
    name,
    config,
    contexts: [context],
    keyDirectory,
    log,
    closeLast: [() => bus.close(), tracing],
  });
  const { port } = app.get(GrpcServer, { strict: false });
  log.info({ port }, 'gRPC listening');
  if (config.GRPC_PORT_FILE !== undefined) await writeFile(config.GRPC_PORT_FILE, String(port));
});

async function grpcOptions(config: EntitlementConfig): Promise<GrpcOptions> {
  const { GRPC_HOST: host, GRPC_PORT: port, GRPC_TLS_CERT: cert, GRPC_TLS_KEY: key } = config;
  if (cert === undefined || key === undefined) return { host, port };
  const [certificate, privateKey] = await Promise.all([readFile(cert), readFile(key)]);
  return { host, port, tls: { cert: certificate, key: privateKey } };
}
