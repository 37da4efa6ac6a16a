import type { EventBus, RunningSubscription, Slice, Subscription } from '../bus/event-bus';
import { extractTrace, withSpan } from '../telemetry/tracing';
import type { LocalClockParticipant } from './local-clock-participant';

/** The header that names the tenant a message is about; the outbox sets it on everything it publishes. */
export const TENANT_HEADER = 'tenant';

/** Subscribes so that the service's clock waits for the subscription and counts what it handled, per tenant. */
export async function subscribeCounted(
  bus: EventBus,
  participant: LocalClockParticipant,
  subscription: Subscription,
): Promise<RunningSubscription> {
  const running = await bus.subscribe({
    ...subscription,
    handle: async (slice) => {
      await traced(subscription, slice);
      for (const { headers } of slice.messages) {
        const tenantId = headers[TENANT_HEADER];
        if (tenantId !== undefined) participant.touched(tenantId);
      }
    },
  });
  const counted: RunningSubscription = {
    caughtUp: () => running.caughtUp(),
    stop: async () => {
      participant.removeSubscription(counted);
      await running.stop();
    },
  };
  participant.addSubscription(counted);
  return counted;
}

async function traced({ group, handle }: Subscription, slice: Slice): Promise<void> {
  const attributes = {
    'messaging.destination.name': slice.topic,
    'messaging.consumer.group.name': group,
    'messaging.batch.message_count': slice.messages.length,
  };
  await withSpan(
    `${slice.topic} process`,
    attributes,
    () => handle(slice),
    extractTrace(slice.messages[0]?.headers ?? {}),
  );
}
