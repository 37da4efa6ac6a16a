import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '../../..');
const OF_THE_PROCESS = ['apps/standalone', 'apps/sandbox', 'apps/gate', 'infra/local', 'libs'];

/** The compiled main module of the process under test. */
export const STANDALONE_MAIN = join(ROOT, 'dist/apps/standalone/src/main.js');

/** Specs of the process run what was built; it is built here when a source is newer, as after an edit. */
export async function ensureBuilt(): Promise<void> {
  for (const folder of OF_THE_PROCESS) if (await isOutdated(folder)) return build();
}

async function isOutdated(folder: string): Promise<boolean> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  const sources = entries
    .map((entry) => join(relative(ROOT, entry.parentPath), entry.name))
    .filter((file) => file.includes('/src/') && file.endsWith('.ts') && !file.endsWith('.spec.ts'));
  const older = sources.map(async (file) => (await writtenAt(built(file))) < (await writtenAt(file)));
  return (await Promise.all(older)).includes(true);
}

const built = (source: string): string => join('dist', source.replace(/\.ts$/, '.js'));

const writtenAt = (file: string): Promise<number> =>
  stat(join(ROOT, file)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

async function build(): Promise<void> {
  const args = ['run-many', '-t', 'build', '-p', 'app-standalone,app-sandbox', '--outputStyle=static'];
  await promisify(execFile)(join(ROOT, 'node_modules/.bin/nx'), args, { cwd: ROOT });
}
