import { dirname } from 'node:path';
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
  try {
    return { uid: Number(await run('id', ['-u', NAME])), gid: Number(await run('id', ['-g', NAME])) };
  } catch {
    return undefined;
  }
}

async function create(): Promise<SystemUser | undefined> {
  await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/sh', NAME]).catch(() => '');
  const user = await lookUp();
  if (user === undefined) {
    throw new Error(`PostgreSQL does not run as root and the user ${NAME} could not be created. Run: useradd --system ${NAME}`);
  }
  return user;
}

/**
 * As root the server runs as another user, who may not be allowed into a folder such as /root.
 * @throws naming the folder that is closed to that user
 */
export async function requireReachable(path: string, user: SystemUser): Promise<void> {
  for (const step of pathSteps(path)) {
    await run('/bin/sh', ['-c', 'test -x "$1"', 'sh', step], { ...user, cwd: '/' }).catch(() => {
      throw new Error(
        `PostgreSQL, started by root, runs as user ${NAME}, who may not enter ${step} and so cannot reach ${path}. ` +
          `Use another folder, or allow it: chmod o+x ${step}`,
      );
    });
  }
}

/** The path itself and every folder above it, the uppermost first. */
function pathSteps(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...pathSteps(parent), path];
}
