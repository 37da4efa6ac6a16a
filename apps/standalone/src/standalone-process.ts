import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { processEnvironment } from '@tallygate/platform';

/** What `npm run build` made; the process under test is the one that ships. */
const STANDALONE_MAIN = join(__dirname, '../../../dist/apps/standalone/src/main.js');

const PROBE_EVERY_MS = 50;

/** The standalone as somebody starts it from a shell: its exit code, what it wrote to stderr, the processes below it. */
export class StandaloneProcess {
  private readonly child: ChildProcess;
  private readonly ended: Promise<readonly unknown[]>;
  private errors = '';

  /** @param env the whole environment beside PATH */
  constructor(env: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, ['--enable-source-maps', STANDALONE_MAIN], {
      env: { PATH: processEnvironment()['PATH'], ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    this.ended = once(this.child, 'close');
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Resolves when it has ended. */
  async exit(): Promise<{ readonly code: number | null; readonly stderr: string }> {
    const [code] = await this.ended;
    return { code: code as number | null, stderr: this.errors };
  }

  /** @throws with what it wrote when it ends before `url` answers 2xx */
  async ready(url: string): Promise<void> {
    while (!(await answers(url))) {
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.errors}`);
      await pause(PROBE_EVERY_MS);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Names of all processes below it, by process id. */
  below(): ReadonlyMap<number, string> {
    return processesBelow(this.pid);
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

function processesBelow(root: number): ReadonlyMap<number, string> {
  const rows = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap(processRow);
  const found = new Map<number, string>();
  const visit = (parent: number): void => {
    for (const row of rows.filter((each) => each.parent === parent)) {
      found.set(row.pid, row.name);
      visit(row.pid);
    }
  };
  visit(root);
  return found;
}

/** From /proc/<pid>/stat, see proc(5): pid (name) state parent; none when it has just ended. */
function processRow(entry: string): { pid: number; name: string; parent: number }[] {
  try {
    const text = readFileSync(`/proc/${entry}/stat`, 'latin1');
    const [, name, parent] = /\((.*)\) \S (\d+) /s.exec(text) ?? [];
    return [{ pid: Number(entry), name: name ?? '', parent: Number(parent) }];
  } catch {
    return [];
  }
}

/** A process that ended and waits to be reaped does not run. */
export function runs(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
