import { Pause } from '../flow/signal';
import type { Log } from '../telemetry/log';
import { missingOf } from './readiness';
import type { Missing, ReadinessCheck } from './readiness';

/** A server that the process cannot start without did not answer in time. */
export class MissingServers extends Error {
  override readonly name = 'MissingServers';

  constructor(readonly missing: readonly Missing[]) {
    super(`${missing.length} server(s) missing\n${missing.map(describeMissing).join('\n')}`);
  }
}

export function describeMissing({ name, where, problem, start }: Missing): string {
  return `  ${name}: not found at ${where} (${problem}). Fix: ${start}`;
}

const PATIENCE_MS = 15_000;
/** Longer than a Kafka client takes to give up, so that its reason is told rather than a time-out. */
const ANSWER_MS = 5_000;
const PAUSE_MS = 500;

/**
 * Waits until all of them answer: servers and services are often started together.
 * @throws MissingServers with those that did not, once `patienceMs` are over
 */
export async function requireServers(
  servers: readonly ReadinessCheck[],
  log: Log,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (let round = 1; ; round += 1) {
    const missing = await missingOf(servers, Math.min(ANSWER_MS, patienceMs));
    if (missing.length === 0) return;
    if (performance.now() >= deadline) throw new MissingServers(missing);
    if (round === 1) log.warn({ missing }, 'waiting for servers that are missing');
    await new Pause().wait(PAUSE_MS);
  }
}
