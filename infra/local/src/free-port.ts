import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { ServerStartError } from './errors';

/** Below Linux's ephemeral range (32768–60999): no outgoing connection takes the port between the check and the use. */
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;
const ATTEMPTS = 4;
const COLLISION = /in use|EADDRINUSE|bind: |BindException|cannot bind/i;

const handedOut = new Set<number>();

/** A TCP port nobody listens on; never the same one twice in a process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (handedOut.has(port)) continue;
    if (!(await isFree(port))) continue;
    handedOut.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '0.0.0.0'));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host }, () => server.close(() => resolve(true)));
  });
}

/**
 * Runs `attempt` on a free port and again on another when somebody else took it meanwhile.
 * With `fixed` given there is one attempt, on that port.
 */
export async function onFreePort<T>(
  fixed: number | undefined,
  attempt: (port: number) => Promise<T>,
): Promise<T> {
  if (fixed !== undefined) return attempt(fixed);
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt(await freePort());
    } catch (error) {
      if (tries === ATTEMPTS || !isCollision(error)) throw error;
    }
  }
}

function isCollision(error: unknown): boolean {
  return error instanceof ServerStartError && COLLISION.test(error.log);
}
