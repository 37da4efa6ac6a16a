import { DunningModule, dunningProvisioning } from '@tallygate/dunning';
import {
  bootstrapOrExit,
  keysOfBilling,
  loadConfig,
  processEnvironment,
  runKafkaService,
} from '@tallygate/platform';
import { dunningConfig } from './config';

void bootstrapOrExit(async () => {
  const config = loadConfig(dunningConfig, processEnvironment());
  await runKafkaService({
    name: 'dunning',
    config,
    provisioning: dunningProvisioning,
    redisUrl: config.REDIS_URL,
    keys: () => keysOfBilling(config),
    register: (context) =>
      DunningModule.register(context, {
        internalSecret: config.INTERNAL_SECRET,
        provider: { url: config.SANDBOX_URL, webhookSecret: config.SANDBOX_WEBHOOK_SECRET },
      }),
  });
});
