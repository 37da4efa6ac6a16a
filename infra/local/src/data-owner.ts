import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataDirInUseError } from './errors';
import { processIdentity } from './process-table';

const FILE = 'owner.json';

interface Owner {
  readonly pid: number;
  /** Tells the process from a later one with the same pid. */
  readonly identity: string;
}

/**
 * Makes this process the owner of `dataDir`. An owner that was killed is replaced.
 * @throws DataDirInUseError when the owner is alive, this process included: stop its server first
 */
export async function claimDataDir(dataDir: string): Promise<void> {
  const file = join(dataDir, FILE);
  const own = privateName(file);
  await writeFile(own, JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) }));
  try {
    while (!(await linkIfAbsent(own, file))) await removeDeadOwner(dataDir, file);
  } finally {
    await rm(own);
  }
}

export async function releaseDataDir(dataDir: string): Promise<void> {
  await rm(join(dataDir, FILE), { force: true });
}

/** Moved aside before it is removed: of two processes that see the same dead owner, one would remove the other's claim. */
async function removeDeadOwner(dataDir: string, file: string): Promise<void> {
  await refuseIfAlive(dataDir, file);
  const aside = privateName(file);
  if (!(await rename(file, aside).then(succeeded, failed))) return;
  try {
    await refuseIfAlive(dataDir, aside);
  } catch (error) {
    await linkIfAbsent(aside, file);
    throw error;
  } finally {
    await rm(aside);
  }
}

async function refuseIfAlive(dataDir: string, file: string): Promise<void> {
  const owner = await readOwner(file);
  if (owner !== null && processIdentity(owner.pid) === owner.identity) {
    throw new DataDirInUseError(dataDir, owner.pid);
  }
}

/** A link appears with its content or not at all. */
function linkIfAbsent(from: string, to: string): Promise<boolean> {
  return link(from, to).then(succeeded, (error: unknown) => {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST')
      return false;
    throw error;
  });
}

const succeeded = (): boolean => true;
const failed = (): boolean => false;

function privateName(file: string): string {
  return `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
}

async function readOwner(file: string): Promise<Owner | null> {
  const text = await readFile(file, 'utf8').catch(() => 'null');
  const value: unknown = parse(text);
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('identity' in value)) return null;
  const { pid, identity } = value;
  return typeof pid === 'number' && typeof identity === 'string' ? { pid, identity } : null;
}

/** A file cut short by a loss of power names no owner. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
