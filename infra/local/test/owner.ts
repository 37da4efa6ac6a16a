import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { descendants, isAlive } from '../src/process-table';
import { waitUntil } from '../src/wait-until';

export type Ending = 'wait' | 'exit' | 'throw' | 'finish';

/** Another process that started a server. */
export interface Owner {
  readonly process: ChildProcess;
  readonly serverPid: number;
  readonly url: string;
  /** The server, its children and its supervisor, as they were right after the start. */
  readonly pids: readonly number[];
  /** Calls a method of the server inside the owner. */
  call(method: 'stop' | 'kill'): void;
  /** kill -9; resolves when the owner is gone, while its server may still be ending. */
  kill(): Promise<void>;
  /** Whether within 10 s no process and no temporary file of the server is left. */
  isAllGone(): Promise<boolean>;
  dispose(): Promise<void>;
}

/** Starts a server by the exported function `start` in a process of its own, with a temporary folder of its own. */
export async function startOwner(
  start: string,
  options: object = {},
  ending: Ending = 'wait',
): Promise<Owner> {
  const temp = await mkdtemp(join(tmpdir(), 'tallygate-owner-'));
  await chmod(temp, 0o1777); // like /tmp: PostgreSQL's user removes its own folder from it
  const args = [join(__dirname, 'owner-process.cjs'), start, JSON.stringify(options), ending];
  const owner = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, TMPDIR: temp },
  });
  const { pid, url } = await firstLine(owner);
  return describe(owner, { pid, url }, temp);
}

function describe(owner: ChildProcess, { pid, url }: { pid: number; url: string }, temp: string): Owner {
  const pids = [pid, ...descendants(pid), ...descendants(owner.pid ?? pid)];
  const isEmpty = async (): Promise<boolean> => (await readdir(temp)).length === 0;
  const kill = async (): Promise<void> => {
    if (owner.exitCode !== null || owner.signalCode !== null) return;
    const gone = once(owner, 'exit');
    owner.kill('SIGKILL');
    await gone;
  };
  return {
    process: owner,
    serverPid: pid,
    url,
    pids,
    call: (method) => owner.stdin?.write(`${method}\n`),
    kill,
    isAllGone: () => waitUntil(async () => !pids.some(isAlive) && (await isEmpty()), 10_000),
    dispose: async () => {
      await kill();
      await waitUntil(isEmpty, 10_000);
      await rm(temp, { recursive: true, force: true });
    },
  };
}

async function firstLine(owner: ChildProcess): Promise<{ pid: number; url: string }> {
  if (owner.stdout === null) throw new Error('the owner has no stdout');
  for await (const line of createInterface(owner.stdout))
    return JSON.parse(line) as { pid: number; url: string };
  throw new Error('the owner ended before it started a server');
}
