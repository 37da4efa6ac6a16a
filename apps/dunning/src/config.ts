import { httpUrl, kafkaConfig, platformConfig, redisConfig, secret } from '@tallygate/platform';

export const dunningConfig = platformConfig.extend({
  ...kafkaConfig.shape,
  ...redisConfig.shape,
  BILLING_URL: httpUrl,
  SANDBOX_URL: httpUrl,
  /** Shared with the sandbox provider, which signs its webhooks with secrets derived from it. */
  SANDBOX_WEBHOOK_SECRET: secret,
});
