import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LocalServer } from './local-server';
import { SupervisedProcess } from './supervised-process';

export interface NodeServiceOptions {
  readonly name: string;
  /** The compiled main module. */
  readonly script: string;
  readonly args?: readonly string[];
  /** The whole configuration of the process; nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Answers 2xx once the process can work. */
  readonly readyUrl: string;
  /** Created when missing, appended to. */
  readonly logFile: string;
  readonly cwd?: string;
}

const READY_MS = 60_000;
const PROBE_MS = 2_000;
const SHUTDOWN_MS = 15_000;

/**
 * Starts one of our own services as a process and waits until it is ready.
 * @throws ServerStartError with the tail of its log
 */
export async function startNodeService(options: NodeServiceOptions): Promise<LocalServer> {
  await mkdir(dirname(options.logFile), { recursive: true });
  const service = await SupervisedProcess.spawn({
    name: options.name,
    command: process.execPath,
    args: ['--enable-source-maps', options.script, ...(options.args ?? [])],
    logFile: options.logFile,
    cwd: options.cwd ?? process.cwd(),
    removeDir: null,
    endSignal: 'TERM',
    env: options.env,
  });
  await service.ready(() => answers(options.readyUrl), READY_MS);
  return {
    name: options.name,
    pid: service.pid,
    stop: () => service.stop({ signal: 'SIGTERM', timeoutMs: SHUTDOWN_MS }),
    kill: () => service.kill(),
  };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS) });
  return response.ok;
}
