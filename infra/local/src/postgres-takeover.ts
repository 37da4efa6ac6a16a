import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, send } from './process-table';
import { run } from './run';
import { waitUntil } from './wait-until';

const FAST_SHUTDOWN_MS = 10_000;
const IMMEDIATE_SHUTDOWN_MS = 7_000;

/**
 * Makes `pgdata`, claimed by this process, ready for a new server after a predecessor was killed: a postmaster still
 * running on it is shut down, backends left behind are ended, and the lock file is removed (PostgreSQL would refuse
 * to start when the pid in it now belongs to another program). Committed data stay: the next start recovers from the
 * write-ahead log.
 */
export async function takeOver(pgdata: string): Promise<void> {
  const pid = await readPostmasterPid(pgdata);
  if (pid !== null && (await isServerOn(pid, pgdata))) await shutDown(pid);
  if (process.platform !== 'linux') return; // where left-over backends cannot be found, PostgreSQL's own check stays
  await endStragglers(pgdata);
  await rm(join(pgdata, 'postmaster.pid'), { force: true });
}

/** The first line of postmaster.pid; null without such a file or without a number in it. */
async function readPostmasterPid(pgdata: string): Promise<number | null> {
  const line = (await readPidFile(pgdata))[0];
  return line !== undefined && /^\d+$/.test(line) ? Number(line) : null;
}

/** The server with this pid reports in its lock file that it accepts connections (line 8 since PostgreSQL 10). */
export async function isPostmasterReady(pgdata: string, pid: number): Promise<boolean> {
  const lines = await readPidFile(pgdata);
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}

async function readPidFile(pgdata: string): Promise<string[]> {
  const text = await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(() => '');
  return text.split('\n');
}

async function isServerOn(pid: number, pgdata: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform === 'linux') return processesIn(pgdata).includes(pid);
  return (await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => '')).includes(pgdata);
}

/** Fast, then immediate, then SIGKILL. SIGCONT, because a stopped process would not hear the first two. */
async function shutDown(pid: number): Promise<void> {
  const gone = (): boolean => !isAlive(pid);
  send(pid, 'SIGINT');
  send(pid, 'SIGCONT');
  if (await waitUntil(gone, FAST_SHUTDOWN_MS)) return;
  send(pid, 'SIGQUIT');
  if (await waitUntil(gone, IMMEDIATE_SHUTDOWN_MS)) return;
  send(pid, 'SIGKILL');
  await waitUntil(gone, IMMEDIATE_SHUTDOWN_MS);
}

/** Backends of a killed postmaster end by themselves, but only when they next wait; a busy one would block the start. */
async function endStragglers(pgdata: string): Promise<void> {
  const pids = processesIn(pgdata);
  for (const pid of pids) send(pid, 'SIGKILL');
  await waitUntil(() => !pids.some(isAlive), IMMEDIATE_SHUTDOWN_MS);
}

/** Every process of a PostgreSQL server works in its data folder. Linux only; elsewhere the list is empty. */
function processesIn(pgdata: string): number[] {
  if (process.platform !== 'linux' || !existsSync(pgdata)) return [];
  const folder = realpathSync(pgdata);
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.filter((pid) => workingFolder(pid) === folder).map(Number);
}

function workingFolder(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}
