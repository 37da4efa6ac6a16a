import { LedgerModule, ledgerProvisioning } from '@tallygate/ledger';
import {
  bootstrapOrExit,
  keysOfBilling,
  loadConfig,
  processEnvironment,
  runKafkaService,
} from '@tallygate/platform';
import { ledgerConfig } from './config';

void bootstrapOrExit(async () => {
  const config = loadConfig(ledgerConfig, processEnvironment());
  await runKafkaService({
    name: 'ledger',
    config,
    provisioning: ledgerProvisioning,
    keys: () => keysOfBilling(config),
    register: (context) => LedgerModule.register(context, { internalSecret: config.INTERNAL_SECRET }),
  });
});
