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
