import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingServers } from './executables';

const INSTALL = join(__dirname, '..', 'install');

interface Outcome {
  readonly code: number | string;
  readonly output: string;
}

function install(names: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile('/bin/bash', [INSTALL, ...names], { env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, output: stdout + stderr });
    });
  });
}

describe('infra/local/install', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(join(tmpdir(), 'tallygate-install-'))));
  afterEach(() => rm(dir, { recursive: true }));

  /** A PATH with what the script itself needs, and nothing to install with or find installed. */
  const barePath = async (uid: number): Promise<string> => {
    for (const tool of ['bash', 'dirname', 'mkdir', 'sed'])
      await symlink(`/usr/bin/${tool}`, join(dir, tool));
    await writeFile(join(dir, 'id'), `#!/bin/sh\necho ${uid}\n`);
    await chmod(join(dir, 'id'), 0o755);
    return dir;
  };

  it('has nothing to do where every server is there', async () => {
    if ((await missingServers()).length > 0) throw new Error('run infra/local/install first');
    expect(await install([], process.env)).toEqual({
      code: 0,
      output: 'infra/local/install: everything is there\n',
    });
  });

  it('says what to install when it may not', async () => {
    const env = { PATH: await barePath(1000), TALLYGATE_CACHE_DIR: join(dir, 'cache') };
    const { code, output } = await install(['redis-server', 'kafka', 'caddy'], env);
    expect(code).toBe(1);
    expect(output).toContain(
      'not installed: redis-server caddy openjdk-17-jre-headless maven. ' +
        'As root on Debian: apt-get install --no-install-recommends redis-server caddy openjdk-17-jre-headless maven\n',
    );
    expect(output).not.toContain('everything is there');
  });
});
