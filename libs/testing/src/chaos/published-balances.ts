import { TOPICS, decodeEvent } from '@tallygate/contracts';
import type { LedgerEvent } from '@tallygate/contracts';
import type { EventBus, IncomingMessage } from '@tallygate/platform';

/** The last revision of each wallet that reached the topic, by customer and unit. */
export async function publishedBalances(
  bus: EventBus,
  tenantId: string,
): Promise<ReadonlyMap<string, number>> {
  const revisions = new Map<string, number>();
  const running = await bus.subscribe({
    topics: [TOPICS.ledgerEvents],
    group: `chaos-judge-${process.pid}-${performance.now()}`,
    handle: async ({ messages }) => messages.forEach((message) => note(revisions, message, tenantId)),
  });
  await running.caughtUp();
  await running.stop();
  return revisions;
}

function note(revisions: Map<string, number>, message: IncomingMessage, tenantId: string): void {
  const event = decodeEvent<LedgerEvent>(message.value);
  if (event.type !== 'balance.changed' || event.tenantId !== tenantId) return;
  const { customerId, unit, version } = event.data;
  const name = `${customerId} ${unit}`;
  revisions.set(name, Math.max(revisions.get(name) ?? 0, version));
}
