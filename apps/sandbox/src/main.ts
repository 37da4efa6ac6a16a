import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { bootstrapOrExit, loadConfig, processEnvironment } from '@tallygate/platform';
import { sandboxConfig } from './config';
import { startSandbox } from './server';

async function main(): Promise<void> {
  const config = loadConfig(sandboxConfig, processEnvironment());
  const server = await startSandbox({
    host: config.HOST,
    port: config.PORT,
    journalPath: config.SANDBOX_JOURNAL,
    webhookSecret: config.SANDBOX_WEBHOOK_SECRET,
    webhookUrl: config.SANDBOX_WEBHOOK_URL ?? null,
    run: randomBytes(6).toString('hex'),
  });
  if (config.PORT_FILE !== undefined) await publishPort(config.PORT_FILE, new URL(server.url).port);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.close());
}

/** Written whole or not at all, for whoever waits for the file. */
async function publishPort(path: string, port: string): Promise<void> {
  await writeFile(`${path}.new`, port);
  await rename(`${path}.new`, path);
}

void bootstrapOrExit(main);
