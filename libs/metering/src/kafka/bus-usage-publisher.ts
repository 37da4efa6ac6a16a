import { Injectable } from '@nestjs/common';
import { packUsage, TOPICS, USAGE_LANES, usageLane } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { EventBus, TENANT_HEADER } from '@tallygate/platform';
import type { OutgoingMessage } from '@tallygate/platform';
import { UsagePublisher } from '../service/ports';

/** Half of what a broker takes by default. */
const MOST_BYTES = 512 * 1024;

/**
 * Metered usage as messages: one per tenant and partition of the slice, so that many events share the cost of a message.
 */
@Injectable()
export class BusUsagePublisher extends UsagePublisher {
  private keys: LaneKeys | null = null;

  constructor(private readonly bus: EventBus) {
    super();
  }

  override async publish(events: readonly MeteredEvent[]): Promise<void> {
    const partitionOf = await this.bus.partitioning(TOPICS.usageMetered);
    if (this.keys?.partitionOf !== partitionOf) this.keys = keysOver(partitionOf);
    await this.bus.publish(TOPICS.usageMetered, pack(events, this.keys.byLane));
  }
}

interface LaneKeys {
  readonly partitionOf: (key: string) => number;
  readonly byLane: ReadonlyMap<string, string>;
}

function keysOver(partitionOf: (key: string) => number): LaneKeys {
  return { partitionOf, byLane: keysByLane(partitionOf) };
}

/** The first lane of each partition stands for all lanes there. */
export function keysByLane(partitionOf: (key: string) => number): ReadonlyMap<string, string> {
  const first = new Map<number, string>();
  return new Map(
    USAGE_LANES.map((lane) => {
      const partition = partitionOf(lane);
      const key = first.get(partition) ?? lane;
      first.set(partition, key);
      return [lane, key];
    }),
  );
}

interface Pack {
  readonly key: string;
  readonly tenantId: string;
  readonly events: MeteredEvent[];
}

/** Order inside a customer is kept: all its events have one key, in the order given. */
export function pack(
  events: readonly MeteredEvent[],
  keyOfLane: ReadonlyMap<string, string>,
  mostBytes = MOST_BYTES,
): OutgoingMessage[] {
  const packs = new Map<string, Pack>();
  for (const event of events) packFor(packs, event, keyOfLane).events.push(event);
  return [...packs.values()].flatMap((open) => messagesOf(open, open.events, mostBytes));
}

function packFor(
  packs: Map<string, Pack>,
  { tenantId, customerId }: MeteredEvent,
  keyOfLane: ReadonlyMap<string, string>,
): Pack {
  const lane = usageLane(customerId);
  const key = keyOfLane.get(lane) ?? lane;
  const name = tenantId + key;
  const open = packs.get(name);
  if (open !== undefined) return open;
  const started: Pack = { key, tenantId, events: [] };
  packs.set(name, started);
  return started;
}

/** One message, or, when it is too large for one, those of both halves. */
function messagesOf(of: Pack, events: readonly MeteredEvent[], mostBytes: number): OutgoingMessage[] {
  const value = packUsage(of.tenantId, events);
  if (value.length <= mostBytes || events.length === 1)
    return [{ key: of.key, value, headers: { [TENANT_HEADER]: of.tenantId } }];
  const middle = events.length >> 1;
  return [
    ...messagesOf(of, events.slice(0, middle), mostBytes),
    ...messagesOf(of, events.slice(middle), mostBytes),
  ];
}
