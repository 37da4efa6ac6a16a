import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { findExecutable } from './executables';
import { onFreePort } from './free-port';
import type { LocalServer } from './local-server';
import { SupervisedProcess } from './supervised-process';
import { makeTempDir } from './temp-dir';

export interface RedisOptions {
  /** A free port when not given. */
  readonly port?: number;
  /** Folder that keeps the data between starts; what is written there is up to `settings` (appendonly, save). */
  readonly dataDir?: string;
  /** Directives of redis.conf by name, over the defaults, which keep nothing on disk. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface RedisServer extends LocalServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

const HOST = '127.0.0.1';
const READY_MS = 30_000;
const SHUTDOWN_MS = 10_000;
const PROBE_MS = 1_000;
const DEFAULT_SETTINGS: Readonly<Record<string, string>> = { bind: HOST, save: '', appendonly: 'no' };

/** @throws MissingServerError, ServerStartError */
export function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  return onFreePort(options.port, (port) => startOn(port, options));
}

async function startOn(port: number, options: RedisOptions): Promise<RedisServer> {
  const server = await launch(port, options);
  await server.ready(async () => (await serverPid(port)) === server.pid, READY_MS);
  const graceful =
    options.dataDir === undefined ? undefined : ({ signal: 'SIGTERM', timeoutMs: SHUTDOWN_MS } as const);
  return {
    name: server.name,
    pid: server.pid,
    host: HOST,
    port,
    url: `redis://${HOST}:${port}`,
    stop: () => server.stop(graceful),
    kill: () => server.kill(),
  };
}

async function launch(port: number, { dataDir, settings }: RedisOptions): Promise<SupervisedProcess> {
  const command = findExecutable('redis-server');
  const home = dataDir === undefined ? await makeTempDir('redis') : resolve(dataDir);
  await mkdir(home, { recursive: true });
  const merged = { ...DEFAULT_SETTINGS, ...settings, port: String(port), dir: home, daemonize: 'no' };
  return SupervisedProcess.spawn({
    name: 'redis',
    command,
    args: Object.entries(merged).flatMap(([name, value]) => [`--${name}`, value]),
    logFile: join(home, 'server.log'),
    cwd: home,
    removeDir: dataDir === undefined ? home : null,
    endSignal: 'KILL',
  });
}

/** Asks the server on `port` which process it is: another Redis may have been faster to take the port. */
function serverPid(port: number): Promise<number | null> {
  return new Promise((fulfil, reject) => {
    let reply = '';
    const socket = connect({ host: HOST, port, timeout: PROBE_MS });
    socket.on('connect', () => socket.write('INFO server\r\n'));
    socket.on('timeout', () => socket.destroy(new Error('no reply')));
    socket.on('error', reject);
    socket.on('close', () => fulfil(null));
    socket.on('data', (chunk: Buffer) => {
      reply += chunk.toString('latin1');
      const pid = /^process_id:(\d+)\r$/m.exec(reply)?.[1];
      if (pid === undefined) return;
      fulfil(Number(pid));
      socket.destroy();
    });
  });
}
