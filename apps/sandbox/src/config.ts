import { httpUrl, port, secret } from '@tallygate/platform';
import { z } from 'zod';

export const sandboxConfig = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(0),
  PORT_FILE: z.string().optional(),
  SANDBOX_JOURNAL: z.string().meta({ fix: 'name the file that keeps the provider’s record' }),
  SANDBOX_WEBHOOK_SECRET: secret,
  SANDBOX_WEBHOOK_URL: httpUrl.optional(),
});
