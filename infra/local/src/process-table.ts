import { readdirSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { waitUntil } from './wait-until';

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  /** Start time as the system prints it: with the pid it names one process for ever, also after the pid is reused. */
  readonly startedAt: string;
}

const linux = process.platform === 'linux';

/** Whether the process runs; one that ended and waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  const row = find(pid);
  return row !== null && !row.state.startsWith('Z') && !row.state.startsWith('X');
}

/** A name for a running process which a later process with the same pid does not share; null when it is gone. */
export function processIdentity(pid: number): string | null {
  return find(pid)?.startedAt ?? null;
}

/** Pids below `pid`, at any depth. */
export function descendants(pid: number): number[] {
  const rows = list();
  const below = (parent: number): number[] =>
    rows.filter((row) => row.parent === parent).flatMap((row) => [row.pid, ...below(row.pid)]);
  return below(pid);
}

/** Sends `signal`; a process that is gone already is no error. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isCode(error, 'ESRCH')) throw error;
  }
}

/** SIGKILL to a process and everything below it. The root is stopped first, so that it starts no child unseen. */
export async function killTree(root: number): Promise<void> {
  send(root, 'SIGSTOP');
  const pids = [...descendants(root), root];
  for (const pid of pids) send(pid, 'SIGKILL');
  await waitUntil(() => !pids.some(isAlive), 10_000);
}

/** Not by instanceof: under jest the errors of Node itself belong to another realm. */
function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

function find(pid: number): ProcessRow | null {
  return linux ? readProc(pid) : (list().find((row) => row.pid === pid) ?? null);
}

function list(): ProcessRow[] {
  if (!linux) return listByPs();
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.map((pid) => readProc(Number(pid))).filter((row) => row !== null);
}

/** Fields of /proc/<pid>/stat, see proc(5); the name before the last ")" may contain anything. */
function readProc(pid: number): ProcessRow | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid, state: fields[0] ?? '', parent: Number(fields[1]), startedAt: fields[19] ?? '' };
  } catch {
    return null;
  }
}

function listByPs(): ProcessRow[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,state=,lstart='], { encoding: 'utf8' });
  return text.trim().split('\n').map(parsePs);
}

function parsePs(line: string): ProcessRow {
  const [pid, parent, state, ...started] = line.trim().split(/\s+/);
  return { pid: Number(pid), parent: Number(parent), state: state ?? '', startedAt: started.join(' ') };
}
