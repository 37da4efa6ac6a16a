import { NotificationModule, notificationProvisioning } from '@tallygate/notification';
import {
  bootstrapOrExit,
  keysOfBilling,
  loadConfig,
  processEnvironment,
  runKafkaService,
} from '@tallygate/platform';
import { notifierConfig } from './config';

void bootstrapOrExit(async () => {
  const config = loadConfig(notifierConfig, processEnvironment());
  await runKafkaService({
    name: 'notifier',
    config,
    provisioning: notificationProvisioning,
    redisUrl: config.REDIS_URL,
    keys: () => keysOfBilling(config),
    register: (context) =>
      NotificationModule.register(context, { smtp: { url: config.SMTP_URL, from: config.MAIL_FROM } }),
  });
});
