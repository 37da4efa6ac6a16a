import { httpUrl, kafkaConfig, platformConfig, redisConfig } from '@tallygate/platform';

export const ledgerConfig = platformConfig.extend({
  ...kafkaConfig.shape,
  ...redisConfig.shape,
  /** Who knows the providers' API keys. */
  BILLING_URL: httpUrl,
});
