import { httpUrl, kafkaConfig, platformConfig } from '@tallygate/platform';

export const ledgerConfig = platformConfig.extend({
  ...kafkaConfig.shape,
  /** Who knows the providers' API keys. */
  BILLING_URL: httpUrl,
});
