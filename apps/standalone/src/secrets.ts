import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StandaloneConfig } from './config';

/** Secrets of one installation: taken from the configuration, or made once and kept beside the data. */
export interface InstallationSecrets {
  readonly rootKey: string;
  readonly internalSecret: string;
  readonly roleSecret: string;
  /** Of the payment provider's webhooks, in the form of the Standard Webhooks specification. */
  readonly webhookSecret: string;
  readonly gateCredential: string;
}

export async function installationSecrets(config: StandaloneConfig): Promise<InstallationSecrets> {
  const kept = await keptSecrets(join(config.DATA_DIR, 'secrets.json'));
  return {
    ...kept,
    rootKey: config.ROOT_KEY ?? kept.rootKey,
    internalSecret: config.INTERNAL_SECRET ?? kept.internalSecret,
  };
}

async function keptSecrets(file: string): Promise<InstallationSecrets> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as InstallationSecrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return generate(file);
  }
}

async function generate(file: string): Promise<InstallationSecrets> {
  const random = (): string => randomBytes(24).toString('hex');
  const secrets = {
    rootKey: random(),
    internalSecret: random(),
    roleSecret: random(),
    webhookSecret: `whsec_${randomBytes(24).toString('base64')}`,
    gateCredential: random(),
  };
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, JSON.stringify(secrets, null, 2), { mode: 0o600 });
  return secrets;
}
