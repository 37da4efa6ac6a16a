import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a bench of its own in a process of its own and reads the JSON it prints. `script` is below dist/bench. */
export async function benchProcess(script: string, args: readonly string[] = []): Promise<unknown> {
  const path = join(__dirname, '../..', script);
  const { stdout } = await run(process.execPath, ['--enable-source-maps', path, ...args], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout);
}
