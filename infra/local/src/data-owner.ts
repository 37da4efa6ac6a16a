import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processIdentity } from './process-table';

const FILE = 'owner.json';

/** Writes into `dataDir` that this process runs a server on it. */
export async function claimDataDir(dataDir: string): Promise<void> {
  const owner = { pid: process.pid, identity: processIdentity(process.pid) };
  await writeFile(join(dataDir, FILE), JSON.stringify(owner));
}

export async function releaseDataDir(dataDir: string): Promise<void> {
  await rm(join(dataDir, FILE), { force: true });
}

/** Pid of the process that claimed `dataDir` and still runs; null when there is none, or it was killed. */
export async function livingOwner(dataDir: string): Promise<number | null> {
  const owner = await readOwner(dataDir);
  if (owner === null) return null;
  return processIdentity(owner.pid) === owner.identity ? owner.pid : null;
}

async function readOwner(dataDir: string): Promise<{ pid: number; identity: string } | null> {
  const text = await readFile(join(dataDir, FILE), 'utf8').catch(() => 'null');
  const value: unknown = parse(text);
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('identity' in value)) return null;
  const { pid, identity } = value;
  return typeof pid === 'number' && typeof identity === 'string' ? { pid, identity } : null;
}

/** A file cut short by a crash names no owner. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
