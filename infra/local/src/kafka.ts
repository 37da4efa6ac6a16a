import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { findExecutable, findKafkaJars } from './executables';
import { freePort, onFreePort } from './free-port';
import { KAFKA_LOGGING, kafkaProperties } from './kafka-properties';
import { createKafkaData, type KafkaRuntime } from './kafka-template';
import type { LocalServer } from './local-server';
import { SupervisedProcess } from './supervised-process';
import { makeTempDir } from './temp-dir';

export interface KafkaOptions {
  /** Port of the broker; a free one when not given. The controller's port is always a free one. */
  readonly port?: number;
  /** Broker settings by name, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Folder that keeps the topics between starts. Without it they are gone after stop(). */
  readonly dataDir?: string;
  /** Flags for the JVM after `-Xmx512m`; `-XX:TieredStopAtLevel=1` saves 0.7 s of CPU per start; one that runs for long is slower. */
  readonly jvmOptions?: readonly string[];
}

export interface KafkaServer extends LocalServer {
  /** For kafkajs: one `host:port`. */
  readonly brokers: string[];
}

const HOST = '127.0.0.1';
const READY_MS = 90_000;
const SHUTDOWN_MS = 30_000;
const PROBE_MS = 5_000;

/**
 * Starts one KRaft node, broker and controller in one. Topics are not created by themselves.
 * @throws MissingServerError, ServerStartError
 */
export function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  return onFreePort(options.port, (port) => startOn(port, options));
}

async function startOn(port: number, options: KafkaOptions): Promise<KafkaServer> {
  const runtime = findRuntime();
  const temporary = options.dataDir === undefined;
  const home = options.dataDir === undefined ? await makeTempDir('kafka') : resolve(options.dataDir);
  await prepareHome(home, runtime, port, options.settings ?? {});
  const server = await launch(home, runtime, temporary, options.jvmOptions ?? []);
  const brokers = [`${HOST}:${port}`];
  await server.ready(() => isReady(brokers), READY_MS);
  const graceful = temporary ? undefined : ({ signal: 'SIGTERM', timeoutMs: SHUTDOWN_MS } as const);
  return {
    name: server.name,
    pid: server.pid,
    brokers,
    stop: () => server.stop(graceful),
    kill: () => server.kill(),
  };
}

function findRuntime(): KafkaRuntime {
  const { folder, version } = findKafkaJars();
  return { java: findExecutable('java'), jars: folder, version };
}

async function prepareHome(
  home: string,
  runtime: KafkaRuntime,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const data = join(home, 'data');
  await mkdir(join(home, 'tmp'), { recursive: true });
  if (!existsSync(data)) await createKafkaData(data, runtime);
  const ports = { broker: port, controller: await freePort() };
  await writeFile(join(home, 'server.properties'), kafkaProperties(data, ports, settings));
  await writeFile(join(home, 'log4j2.properties'), KAFKA_LOGGING);
  await rm(join(home, 'server.log'), { force: true });
}

function launch(
  home: string,
  { java, jars }: KafkaRuntime,
  temporary: boolean,
  jvmOptions: readonly string[],
): Promise<SupervisedProcess> {
  const main = ['-cp', join(jars, '*'), 'kafka.Kafka', join(home, 'server.properties')];
  return SupervisedProcess.spawn({
    name: 'kafka',
    command: java,
    args: [...jvmFlags(home, jars), ...jvmOptions, ...main],
    logFile: join(home, 'server.log'),
    cwd: home,
    removeDir: temporary ? home : null,
    endSignal: 'KILL',
  });
}

/** Whatever a killed JVM would leave in the system's temporary folder is kept out of it. */
function jvmFlags(home: string, jars: string): string[] {
  const classes = join(jars, 'classes.jsa');
  return [
    '-Xmx512m',
    '-XX:-UsePerfData',
    // Classes loaded beforehand by infra/local/install: up in 1.2 s instead of 2.5. Another JVM ignores the file.
    ...(existsSync(classes) ? [`-XX:SharedArchiveFile=${classes}`] : []),
    `-Djava.io.tmpdir=${join(home, 'tmp')}`,
    '-Djava.awt.headless=true',
    `-Dlog4j2.configurationFile=${join(home, 'log4j2.properties')}`,
  ];
}

/**
 * The broker is registered, so a topic created now has a leader; and the group coordinator has loaded, so the first
 * consumer joins at once. On a new node asking for the coordinator is what creates it.
 */
async function isReady(brokers: string[]): Promise<boolean> {
  const timeouts = { connectionTimeout: PROBE_MS, requestTimeout: PROBE_MS, retry: { retries: 0 } };
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, ...timeouts }).admin();
  try {
    await admin.connect();
    await admin.listTopics();
    if ((await admin.describeCluster()).brokers.length !== 1) return false;
    await admin.fetchOffsets({ groupId: 'readiness', topics: [] });
    return true;
  } finally {
    await admin.disconnect();
  }
}
