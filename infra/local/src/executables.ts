import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheDir } from './cache-dir';
import { MissingServerError, type Missing } from './errors';
import { missingPostgres } from './postgres-binaries';

/** Servers that are one executable, with the folders it is looked for in besides PATH. */
const EXECUTABLES = {
  'redis-server': systemFolders,
  nginx: systemFolders,
  caddy: systemFolders,
  haproxy: systemFolders,
  envoy: () => [cacheDir('envoy')],
  java: () => (process.env['JAVA_HOME'] === undefined ? [] : [join(process.env['JAVA_HOME'], 'bin')]),
} as const;

export type ExecutableName = keyof typeof EXECUTABLES;

const INSTALL = 'infra/local/install';

/** Debian puts servers into sbin, which is not on every user's PATH. */
function systemFolders(): string[] {
  return ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];
}

/** @throws MissingServerError */
export function findExecutable(name: ExecutableName): string {
  const found = candidates(name).find(isExecutable);
  if (found === undefined) throw new MissingServerError(missingExecutable(name));
  return found;
}

/** Folder with the jars of the Kafka server, and its version. @throws MissingServerError */
export function findKafkaJars(): { readonly folder: string; readonly version: string } {
  const folder = cacheDir('kafka');
  const version = kafkaVersion(folder);
  if (version === null) throw new MissingServerError(missingKafka(folder));
  return { folder, version };
}

/** What is not installed on this machine; empty when every server can be started. */
export function missingServers(): Promise<Missing[]> {
  const names = Object.keys(EXECUTABLES).filter((name): name is ExecutableName => name in EXECUTABLES);
  const executables = names.filter((name) => !candidates(name).some(isExecutable)).map(missingExecutable);
  const kafka = kafkaVersion(cacheDir('kafka')) === null ? [missingKafka(cacheDir('kafka'))] : [];
  const postgres = missingPostgres();
  return Promise.resolve([...(postgres === null ? [] : [postgres]), ...kafka, ...executables]);
}

function candidates(name: ExecutableName): string[] {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set([...EXECUTABLES[name](), ...onPath])].map((folder) => join(folder, name));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missingExecutable(name: ExecutableName): Missing {
  const install =
    name === 'java' ? 'a Java runtime, version 17 or later (Debian: openjdk-17-jre-headless)' : INSTALL;
  return { name, lookedIn: candidates(name), install };
}

function missingKafka(folder: string): Missing {
  return { name: 'kafka', lookedIn: [join(folder, 'kafka_2.13-*.jar')], install: INSTALL };
}

function kafkaVersion(folder: string): string | null {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return (
    names.map((file) => /^kafka_2\.13-(.*)\.jar$/.exec(file)?.[1]).find((found) => found !== undefined) ??
    null
  );
}
