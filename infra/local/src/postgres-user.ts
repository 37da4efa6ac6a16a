import { chmod, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, sep } from 'node:path';
import { run } from './run';

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

const NAME = 'postgres';

/**
 * PostgreSQL refuses to run as root; as root it runs as the system user `postgres`, which is created when missing.
 * @returns undefined when this process is not root and PostgreSQL can run as the same user.
 */
export async function postgresUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await lookUp()) ?? (await create());
}

async function lookUp(): Promise<SystemUser | undefined> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, NAME]).catch(() => '')));
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

async function create(): Promise<SystemUser | undefined> {
  await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/sh', NAME]).catch(
    () => '',
  );
  const user = await lookUp();
  if (user === undefined) {
    throw new Error(
      `PostgreSQL does not run as root and the user ${NAME} could not be created. Run: useradd --system ${NAME}`,
    );
  }
  return user;
}

/**
 * As root the server runs as another user, who may not be allowed into a folder such as /root. Folders inside the
 * temporary one, which mkdtemp makes private, are opened for passage; others are the caller's to open.
 * @throws naming the folder that is closed to that user
 */
export async function requireReachable(path: string, user: SystemUser): Promise<void> {
  if (await mayEnter(path, user)) return;
  for (const step of pathSteps(path)) {
    if (await mayEnter(step, user)) continue;
    if (!step.startsWith(tmpdir() + sep)) throw new Error(closed(path, step));
    await chmod(step, (await stat(step)).mode | 0o001);
  }
}

/** The path itself and every folder above it, the uppermost first. */
function pathSteps(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...pathSteps(parent), path];
}

function mayEnter(step: string, user: SystemUser): Promise<boolean> {
  const test = run('/bin/sh', ['-c', 'test -x "$1"', 'sh', step], { ...user, cwd: '/' });
  return test.then(
    () => true,
    () => false,
  );
}

function closed(path: string, step: string): string {
  return (
    `PostgreSQL, started by root, runs as user ${NAME}, who may not enter ${step} and so cannot reach ${path}. ` +
    `Use another folder, or allow it: chmod o+x ${step}`
  );
}
