import { httpUrl, kafkaConfig, platformConfig } from '@tallygate/platform';
import { z } from 'zod';

/** name=url,name=url: the other services' clocks. */
const peers = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .filter((part) => part.trim() !== '')
      .map((part) => ({
        name: part.split('=')[0]?.trim() ?? '',
        url: part.slice(part.indexOf('=') + 1).trim(),
      })),
  )
  .refine(
    (list) => list.every(({ name, url }) => /^[a-z-]+$/.test(name) && URL.canParse(url)),
    'is not a list of name=url',
  )
  .meta({ fix: 'list services as ledger=http://host:port,dunning=http://host:port' });

export const billingConfig = platformConfig.extend({
  ...kafkaConfig.shape,
  /** Where dunning's pay-now port is. */
  DUNNING_URL: httpUrl,
  /** Asked before a price row is stated. */
  LEDGER_URL: httpUrl,
  /** Services that a test clock stops for, beside billing itself. */
  CLOCK_PEERS: peers,
});

export type BillingConfig = z.infer<typeof billingConfig>;
