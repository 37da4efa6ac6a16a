import { httpUrl, kafkaConfig, platformConfig } from '@tallygate/platform';

export const ingestionConfig = platformConfig.extend({
  ...kafkaConfig.shape,
  /** Whose API keys these are. */
  BILLING_URL: httpUrl,
  /** What is booked already. */
  LEDGER_URL: httpUrl,
});
