import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Socket } from 'node:net';
import { ServerStartError } from './errors';
import { killTree, send } from './process-table';
import { SUPERVISOR_SCRIPT } from './supervisor-script';
import { waitUntil } from './wait-until';

export interface SpawnOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Created when missing, appended to. */
  readonly logFile: string;
  /** Working folder of the server. */
  readonly cwd: string;
  /** Folder removed after the server has ended, also when the owner was killed; null keeps everything. */
  readonly removeDir: string | null;
  /** Signal (without SIG) that ends this kind of server at once, together with its children. */
  readonly endSignal: 'KILL' | 'QUIT' | 'TERM';
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Added to PATH, HOME, LANG and TZ; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
}

const LOG_TAIL_LINES = 30;

/** A running server with the supervisor that ends it when this process ends. */
export class SupervisedProcess {
  private exitCode: number | null = null;
  private supervised = true;
  private readonly supervisorGone: Promise<void>;

  private constructor(
    private readonly supervisor: ChildProcess,
    private readonly options: SpawnOptions,
    readonly pid: number,
  ) {
    this.supervisorGone = new Promise((resolve) => {
      supervisor.once('exit', () => {
        this.supervised = false;
        resolve();
      });
    });
  }

  /** Starts the server; resolves when it has a pid, before it is ready. */
  static async spawn(options: SpawnOptions): Promise<SupervisedProcess> {
    const supervisor = launch(options);
    const { pid, onExit } = await firstReport(supervisor, options.name);
    const started = new SupervisedProcess(supervisor, options, pid);
    onExit((code) => (started.exitCode = code));
    return started;
  }

  get name(): string {
    return this.options.name;
  }

  get hasExited(): boolean {
    return this.exitCode !== null || !this.supervised;
  }

  /**
   * Waits for `probe`; a probe that throws is not ready yet. Afterwards the server no longer keeps this process alive.
   * @throws ServerStartError with the tail of the log when the server ends first or `timeoutMs` passes; it is then ended.
   */
  async ready(probe: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
    let answered = false;
    await waitUntil(async () => this.hasExited || (answered = await probe()), timeoutMs);
    if (this.hasExited || !answered) await this.failStart(timeoutMs);
    this.detach();
  }

  /** Ends the server with its own signal, and with SIGKILL when that takes too long. */
  async stop(graceful?: { readonly signal: NodeJS.Signals; readonly timeoutMs: number }): Promise<void> {
    if (graceful !== undefined && !this.hasExited) {
      send(this.pid, graceful.signal);
      send(this.pid, 'SIGCONT');
      await waitUntil(() => this.hasExited, graceful.timeoutMs);
    }
    await this.end();
  }

  /** SIGKILL to the server and its children. */
  async kill(): Promise<void> {
    if (!this.hasExited) await killTree(this.pid);
    await this.end();
  }

  private async end(): Promise<void> {
    this.supervisor.ref();
    this.supervisor.stdin?.destroy();
    await this.supervisorGone;
    if (this.exitCode === null) await this.endUnsupervised();
  }

  /** Somebody killed the supervisor: its work is done here. */
  private async endUnsupervised(): Promise<void> {
    await killTree(this.pid);
    this.exitCode = -1;
    if (this.options.removeDir !== null) await rm(this.options.removeDir, { recursive: true, force: true });
  }

  private detach(): void {
    this.supervisor.unref();
    for (const stream of [this.supervisor.stdin, this.supervisor.stdout]) {
      if (stream instanceof Socket) stream.unref();
    }
  }

  private async failStart(timeoutMs: number): Promise<never> {
    const reason = this.hasExited
      ? `ended with code ${this.exitCode ?? 'unknown'} before it was ready`
      : `did not answer within ${timeoutMs} ms`;
    const log = await tail(this.options.logFile);
    await this.kill();
    throw new ServerStartError(this.name, reason, log);
  }
}

function launch(options: SpawnOptions): ChildProcess {
  const { endSignal, removeDir, logFile, command, args, cwd, user, env } = options;
  const script = ['-c', SUPERVISOR_SCRIPT, `tallygate-${options.name}`, endSignal, removeDir ?? '', logFile];
  return spawn('/bin/sh', [...script, command, ...args], {
    cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...baseEnvironment(), ...env },
    ...user,
  });
}

/** Servers get a known environment: a PGPORT or KAFKA_OPTS of the developer must not change a test. */
function baseEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, JAVA_HOME } = process.env;
  return { PATH, HOME, ...(JAVA_HOME === undefined ? {} : { JAVA_HOME }), LANG: 'C.UTF-8', TZ: 'UTC' };
}

interface FirstReport {
  readonly pid: number;
  onExit(listener: (code: number) => void): void;
}

function firstReport(supervisor: ChildProcess, name: string): Promise<FirstReport> {
  return new Promise((resolve, reject) => {
    if (supervisor.stdout === null) return reject(new Error('the supervisor has no stdout'));
    const exits: number[] = [];
    const listeners: ((code: number) => void)[] = [(code) => exits.push(code)];
    const onExit = (listener: (code: number) => void): void => {
      exits.forEach(listener);
      listeners.push(listener);
    };
    createInterface(supervisor.stdout).on('line', (line) => {
      const [word, value] = line.split(' ');
      if (word === 'pid') resolve({ pid: Number(value), onExit });
      if (word === 'exit') listeners.forEach((listener) => listener(Number(value)));
    });
    supervisor.once('error', reject);
    supervisor.once('exit', () =>
      reject(new Error(`the supervisor of ${name} ended before ${name} started`)),
    );
  });
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '(no log was written)');
  return text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
