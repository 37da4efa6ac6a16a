import { SystemClock } from '@tallygate/kernel';
import { picker, sliceMessage } from './workload';
import type { Customer, Shape } from './workload';

/** Takes a slice as one of the writers. @returns how many events it took */
export type Take = (writer: number, message: Buffer) => Promise<number>;

/** PostgreSQL as one would run it for this load; the same server serves the controls and the engine. */
export const SETTINGS = { shared_buffers: '1GB', max_wal_size: '8GB', checkpoint_timeout: '15min' };

/** @returns the customers of each writer: no two of them share one */
export function poolsOf(customers: readonly Customer[], writers: number): Customer[][] {
  return Array.from({ length: writers }, (_, writer) =>
    customers.filter((_customer, i) => i % writers === writer),
  );
}

/** @param pools of each writer @returns events a second of all writers together */
export async function race(
  take: Take,
  pools: readonly Customer[][],
  shape: Shape & { readonly slices: number },
): Promise<number> {
  const now = new SystemClock().now();
  const messages = pools.map((pool) => {
    const pick = picker(pool, shape.zipf);
    return Array.from({ length: shape.slices }, () => sliceMessage(pick, shape, now));
  });
  const start = performance.now();
  const taken = await Promise.all(
    messages.map(async (own, writer) => {
      let events = 0;
      for (const message of own) events += await take(writer, message);
      return events;
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  return taken.reduce((sum, events) => sum + events, 0) / seconds;
}
