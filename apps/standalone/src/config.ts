import { proxyRoutes } from '@tallygate/gate';
import { durationMs, flag, logLevel, port, secret, url } from '@tallygate/platform';
import { z } from 'zod';

/** The embedded default: everything has a default, so that `npm run demo` needs no settings. */
export const standaloneConfig = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(4000),
  GATE_PORT: port.default(4001),
  SANDBOX_PORT: port.default(4002),
  PORT_FILE: z.string().optional(),
  LOG_LEVEL: logLevel.default('warn'),
  /** Folder of PostgreSQL's data, the payment provider's record and the generated secrets. */
  DATA_DIR: z.string().default('.tallygate'),
  /** Generated into DATA_DIR when not set. */
  ROOT_KEY: secret.optional(),
  INTERNAL_SECRET: secret.optional(),
  /** Without it an SMTP server of our own takes the mails. */
  SMTP_URL: url(['smtp', 'smtps'], 'smtp://localhost:1025').optional(),
  /** How long the gate may wait for a live check of a key it does not know. */
  LIVE_CHECK_MS: durationMs.default(20),
  MAIL_FROM: z.string().default('billing@tallygate.example'),
  /** What the gate's built-in proxy stands in front of. */
  PROXY_UPSTREAM: url(['http', 'https'], 'http://localhost:8080').optional(),
  PROXY_PORT: port.default(4003),
  PROXY_ROUTES: proxyRoutes.default([]),
  /** For tests: an answer that the OpenAPI document does not foresee becomes a 500. */
  CHECK_ANSWERS: flag.default(false),
});
export type StandaloneConfig = z.infer<typeof standaloneConfig>;
