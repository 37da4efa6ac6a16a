import { IngestionModule, ingestionProvisioning } from '@tallygate/metering';
import {
  bootstrapOrExit,
  keysOfBilling,
  loadConfig,
  processEnvironment,
  runKafkaService,
} from '@tallygate/platform';
import { ingestionConfig } from './config';

void bootstrapOrExit(async () => {
  const config = loadConfig(ingestionConfig, processEnvironment());
  const { LEDGER_URL: ledgerUrl, INTERNAL_SECRET: internalSecret } = config;
  await runKafkaService({
    name: 'ingestion',
    config,
    provisioning: ingestionProvisioning,
    keys: () => keysOfBilling(config),
    register: (context) => IngestionModule.register(context, { identities: { ledgerUrl, internalSecret } }),
  });
});
