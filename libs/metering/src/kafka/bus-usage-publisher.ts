import { Injectable } from '@nestjs/common';
import { packRows, TOPICS, USAGE_LANES, usageLane, usageRows } from '@tallygate/contracts';
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

interface Pack {
  readonly key: string;
  readonly tenantId: string;
  readonly pieces: Piece[];
}

/** Some consecutive events of a pack, in the form in which they leave. */
interface Piece {
  readonly rows: string;
  readonly bytes: number;
}

/** Order inside a customer is kept: all its events have one key, in the order given. */
export class UsagePacks {
  private readonly packs = new Map<string, Pack>();

  constructor(
    private readonly keyOfLane: ReadonlyMap<string, string>,
    private readonly mostBytes = MOST_BYTES,
  ) {}

  add(events: readonly MeteredEvent[]): void {
    const added = new Map<Pack, MeteredEvent[]>();
    for (const event of events) {
      const pack = this.packFor(event);
      const others = added.get(pack);
      if (others === undefined) added.set(pack, [event]);
      else others.push(event);
    }
    for (const [{ tenantId, pieces }, its] of added) pieces.push(...piecesOf(its, this.roomFor(tenantId)));
  }

  messages(): OutgoingMessage[] {
    return [...this.packs.values()].flatMap(({ key, tenantId, pieces }) =>
      filled(pieces, this.roomFor(tenantId)).map((rows) => ({
        key,
        value: packRows(tenantId, rows),
        headers: { [TENANT_HEADER]: tenantId },
      })),
    );
  }

  private packFor({ tenantId, customerId }: MeteredEvent): Pack {
    const lane = usageLane(customerId);
    const key = this.keyOfLane.get(lane) ?? lane;
    const name = tenantId + key;
    const open = this.packs.get(name);
    if (open !== undefined) return open;
    const started: Pack = { key, tenantId, pieces: [] };
    this.packs.set(name, started);
    return started;
  }

  private roomFor(tenantId: string): number {
    return this.mostBytes - packRows(tenantId, []).length;
  }
}

/** One piece, or, when it is too large for a message, those of both halves. */
function piecesOf(events: readonly MeteredEvent[], room: number): Piece[] {
  const rows = usageRows(events);
  const bytes = Buffer.byteLength(rows);
  if (bytes <= room || events.length === 1) return [{ rows, bytes }];
  const middle = events.length >> 1;
  return [...piecesOf(events.slice(0, middle), room), ...piecesOf(events.slice(middle), room)];
}

/** As many consecutive pieces for each message as there is room for. */
function filled(pieces: readonly Piece[], room: number): string[][] {
  const messages: string[][] = [];
  let left = 0;
  for (const { rows, bytes } of pieces) {
    const open = messages.at(-1);
    const needed = bytes + COMMA;
    if (open === undefined || needed > left) {
      messages.push([rows]);
      left = room - bytes;
    } else {
      open.push(rows);
      left -= needed;
    }
  }
  return messages;
}

const COMMA = 1;
