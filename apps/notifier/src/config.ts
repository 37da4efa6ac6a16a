import { httpUrl, kafkaConfig, platformConfig, redisConfig, url } from '@tallygate/platform';
import { z } from 'zod';

export const notifierConfig = platformConfig.extend({
  ...kafkaConfig.shape,
  ...redisConfig.shape,
  /** Whose API keys these are. */
  BILLING_URL: httpUrl,
  SMTP_URL: url(['smtp', 'smtps'], 'smtp://user:password@localhost:587'),
  MAIL_FROM: z.email().meta({ fix: 'use the address that mails come from, such as billing@example.com' }),
});
