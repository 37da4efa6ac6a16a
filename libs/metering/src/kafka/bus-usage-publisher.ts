import { Injectable } from '@nestjs/common';
import { TOPICS, usageLane } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { EventBus, TENANT_HEADER } from '@tallygate/platform';
import type { OutgoingMessage } from '@tallygate/platform';
import { UsagePublisher } from '../service/ports';

/** Half of what a broker takes by default. */
const MOST_BYTES = 512 * 1024;

/** Metered usage as messages: one per tenant and lane of the slice, so that many events share the cost of a message. */
@Injectable()
export class BusUsagePublisher extends UsagePublisher {
  constructor(private readonly bus: EventBus) {
    super();
  }

  override async publish(events: readonly MeteredEvent[]): Promise<void> {
    await this.bus.publish(TOPICS.usageMetered, pack(events));
  }
}

interface Pack {
  readonly lane: string;
  readonly tenantId: string;
  texts: string[];
  bytes: number;
}

/** Order inside a customer is kept: all its events are in one lane, in the order given. */
export function pack(events: readonly MeteredEvent[], mostBytes = MOST_BYTES): OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  const packs = new Map<string, Pack>();
  for (const event of events) {
    const text = JSON.stringify(event);
    const bytes = Buffer.byteLength(text) + 1;
    const open = packFor(packs, event);
    if (open.texts.length > 0 && open.bytes + bytes > mostBytes) {
      messages.push(messageOf(open));
      Object.assign(open, { texts: [], bytes: 0 });
    }
    open.texts.push(text);
    open.bytes += bytes;
  }
  for (const open of packs.values()) messages.push(messageOf(open));
  return messages;
}

function packFor(packs: Map<string, Pack>, { tenantId, customerId }: MeteredEvent): Pack {
  const lane = usageLane(customerId);
  const name = tenantId + lane;
  const open = packs.get(name);
  if (open !== undefined) return open;
  const started: Pack = { lane, tenantId, texts: [], bytes: 0 };
  packs.set(name, started);
  return started;
}

function messageOf({ lane, tenantId, texts }: Pack): OutgoingMessage {
  return { key: lane, value: Buffer.from(`[${texts.join(',')}]`), headers: { [TENANT_HEADER]: tenantId } };
}
