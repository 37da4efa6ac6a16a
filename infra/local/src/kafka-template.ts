import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from './cache-dir';
import { kafkaProperties } from './kafka-properties';
import { run } from './run';

/** Any 16 bytes in base64url. The same for every cluster started here: they never meet. */
const CLUSTER_ID = 'dGFsbHlnYXRlLWxvY2FsMQ';

/** A JVM which the format tool and the server are run with. */
export interface KafkaRuntime {
  readonly java: string;
  /** Folder of the jars. */
  readonly jars: string;
  /** Of the broker, for example 4.1.2. */
  readonly version: string;
}

/**
 * Creates `dataDir`, formatted for node 1, by copying a template from the cache folder (two files): the format tool
 * costs a JVM start of half a second, so it runs once per version.
 */
export async function createKafkaData(dataDir: string, runtime: KafkaRuntime): Promise<void> {
  const template = cacheDir(`kafka-template-${runtime.version}`);
  if (!existsSync(template)) await buildTemplate(template, runtime);
  const staging = `${dataDir}.new`;
  await rm(staging, { recursive: true, force: true });
  await cp(template, staging, { recursive: true });
  await rename(staging, dataDir);
}

/** Several processes may build it at once; the first rename wins and the others drop theirs. */
async function buildTemplate(template: string, runtime: KafkaRuntime): Promise<void> {
  const staging = `${template}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(staging, { recursive: true });
  try {
    await format(staging, runtime);
    await rename(join(staging, 'data'), template).catch((error: unknown) => {
      if (!existsSync(template)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function format(work: string, { java, jars }: KafkaRuntime): Promise<void> {
  const config = join(work, 'server.properties');
  await writeFile(config, kafkaProperties(join(work, 'data'), { broker: 1, controller: 2 }, {}));
  const tool = ['-cp', join(jars, '*'), 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', config];
  await run(java, ['-XX:TieredStopAtLevel=1', ...tool]);
}
