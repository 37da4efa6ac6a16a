import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 10;

/**
 * Polls `condition` until it is true.
 * @returns whether it became true within `timeoutMs`; a condition that throws counts as not yet true.
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await holds(condition)) return true;
    if (performance.now() >= deadline) return false;
    await delay(POLL_MS);
  }
}

async function holds(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await condition();
  } catch {
    return false;
  }
}
