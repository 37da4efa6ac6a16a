import { Injectable } from '@nestjs/common';
import { TOPICS, USAGE_LANES, usageLane, UsagePack } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { EventBus, TENANT_HEADER } from '@tallygate/platform';
import type { OutgoingMessage } from '@tallygate/platform';
import { UsagePublisher } from '../service/ports';
import type { UsageBatch } from '../service/ports';

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

  override async open(): Promise<UsageBatch> {
    const partitionOf = await this.bus.partitioning(TOPICS.usageMetered);
    if (this.keys?.partitionOf !== partitionOf) this.keys = keysOver(partitionOf);
    const packs = new UsagePacks(this.keys.byLane);
    return {
      add: (events) => packs.add(events),
      publish: () => this.bus.publish(TOPICS.usageMetered, packs.messages()),
    };
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

/** The messages of one tenant and partition; the last one is still being filled. */
interface Line {
  readonly key: string;
  readonly tenantId: string;
  readonly packs: UsagePack[];
}

/** Order inside a customer is kept: all its events have one key, in the order given. */
export class UsagePacks {
  private readonly lines = new Map<string, Line>();

  constructor(
    private readonly keyOfLane: ReadonlyMap<string, string>,
    private readonly mostBytes = MOST_BYTES,
  ) {}

  add(events: readonly MeteredEvent[]): void {
    const added = new Map<Line, MeteredEvent[]>();
    for (const event of events) {
      const line = this.lineOf(event);
      const others = added.get(line);
      if (others === undefined) added.set(line, [event]);
      else others.push(event);
    }
    for (const [line, its] of added) this.fill(line, its);
  }

  messages(): OutgoingMessage[] {
    return [...this.lines.values()].flatMap(({ key, tenantId, packs }) =>
      packs.map((pack) => ({ key, value: pack.toBuffer(), headers: { [TENANT_HEADER]: tenantId } })),
    );
  }

  private lineOf({ tenantId, customerId }: MeteredEvent): Line {
    const lane = usageLane(customerId);
    const key = this.keyOfLane.get(lane) ?? lane;
    const name = tenantId + key;
    const open = this.lines.get(name);
    if (open !== undefined) return open;
    const started: Line = { key, tenantId, packs: [] };
    this.lines.set(name, started);
    return started;
  }

  /** What fits into no message together goes as both halves. */
  private fill(line: Line, events: readonly MeteredEvent[]): void {
    if (line.packs.at(-1)?.add(events) === true) return;
    const pack = new UsagePack(line.tenantId, this.mostBytes);
    if (pack.add(events)) return void line.packs.push(pack);
    const middle = events.length >> 1;
    this.fill(line, events.slice(0, middle));
    this.fill(line, events.slice(middle));
  }
}
