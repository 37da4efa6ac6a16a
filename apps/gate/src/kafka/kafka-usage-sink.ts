import { TOPICS } from '@tallygate/contracts';
import { UsageSink, usageBatches } from '@tallygate/gate-sdk';
import type { Delivery, UsageEvent } from '@tallygate/gate-sdk';
import { TENANT_HEADER } from '@tallygate/platform';
import type { EventBus } from '@tallygate/platform';

/** One message per batch on usage.raw: messages cost more than the events in them. */
export class KafkaUsageSink extends UsageSink {
  constructor(private readonly bus: EventBus) {
    super();
  }

  override async send(tenantId: string, events: readonly UsageEvent[]): Promise<Delivery> {
    const headers = { [TENANT_HEADER]: tenantId, 'content-type': 'application/cloudevents-batch+json' };
    const messages = usageBatches(events).map(({ body }) => ({
      key: tenantId,
      value: Buffer.from(body),
      headers,
    }));
    await this.bus.publish(TOPICS.usageRaw, messages);
    return { taken: events.length, refused: 0, problem: null };
  }

  override async close(): Promise<void> {
    await this.bus.close();
  }
}
