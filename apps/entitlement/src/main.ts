import { readFile, writeFile } from 'node:fs/promises';
import { EntitlementModule, GrpcServer, entitlementProvisioning } from '@tallygate/entitlement';
import type { GrpcOptions } from '@tallygate/entitlement';
import {
  bootstrapOrExit,
  createLog,
  keysOfBilling,
  loadConfig,
  processEnvironment,
  runKafkaService,
} from '@tallygate/platform';
import { entitlementConfig } from './config';
import type { EntitlementConfig } from './config';

const name = 'entitlement';

void bootstrapOrExit(async () => {
  const config = loadConfig(entitlementConfig, processEnvironment());
  const grpc = await grpcOptions(config);
  const { app } = await runKafkaService({
    name,
    config,
    provisioning: entitlementProvisioning,
    keys: () => keysOfBilling(config),
    register: (context, keyDirectory) =>
      EntitlementModule.register(context, { keyDirectory, gateSecret: config.GATE_SECRET, grpc }),
  });
  const { port } = app.get(GrpcServer, { strict: false });
  createLog({ name, level: config.LOG_LEVEL }).info({ port }, 'gRPC listening');
  if (config.GRPC_PORT_FILE !== undefined) await writeFile(config.GRPC_PORT_FILE, String(port));
});

async function grpcOptions(config: EntitlementConfig): Promise<GrpcOptions> {
  const { GRPC_HOST: host, GRPC_PORT: port, GRPC_TLS_CERT: cert, GRPC_TLS_KEY: key } = config;
  if (cert === undefined || key === undefined) return { host, port };
  const [certificate, privateKey] = await Promise.all([readFile(cert), readFile(key)]);
  return { host, port, tls: { cert: certificate, key: privateKey } };
}
