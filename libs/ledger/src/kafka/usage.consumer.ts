import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { TOPICS } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { Ids } from '@tallygate/kernel';
import { Database, ServiceContext } from '@tallygate/platform';
import type { IncomingMessage, Slice } from '@tallygate/platform';
import { USAGE_GROUP } from '../postgres/pg-usage.store';
import { BalanceFeed } from '../service/balance-feed';
import { UsageSliceService } from '../service/usage-slice.service';
import { UsageStore } from '../service/usage-store';
import type { SlicePosition } from '../service/usage-store';

/** Enough that the fixed cost of a transaction is spread, few enough that nobody waits for a lock for long. */
const MOST_EVENTS = 4_000;

/** Takes metered usage, partition by partition, in transactions that store the partition's offset themselves. */
@Injectable()
export class UsageConsumer implements OnModuleInit {
  private readonly owner: string;

  constructor(
    private readonly context: ServiceContext,
    private readonly database: Database,
    private readonly slices: UsageSliceService,
    private readonly usage: UsageStore,
    private readonly feed: BalanceFeed,
    ids: Ids,
  ) {
    this.owner = ids.next();
  }

  async onModuleInit(): Promise<void> {
    await this.context.subscribe({
      topics: [TOPICS.usageMetered],
      group: USAGE_GROUP,
      handle: (slice) => this.handle(slice),
      startAt: (topic, partition) => this.startAt(topic, partition),
    });
  }

  /** Fences whoever held the partition before, and publishes what it had gathered when it went. */
  private async startAt(topic: string, partition: number): Promise<bigint | null> {
    const next = await this.database.asWorker((tx) => this.usage.takeOver(tx, topic, partition, this.owner));
    await this.feed.recover();
    return next;
  }

  private async handle(slice: Slice): Promise<void> {
    for (const part of partsOf(slice)) {
      const outcome = await this.slices.take(
        part.events,
        slice.ephemeral ? null : this.positionOf(slice, part),
      );
      if (outcome.status === 'fenced')
        throw new Error(`Partition ${slice.topic}/${slice.partition} has another owner`);
      if (outcome.status === 'gap') {
        throw new Error(
          `Partition ${slice.topic}/${slice.partition} continues at ${outcome.first} where ${outcome.stored} is next: usage between them is gone`,
        );
      }
    }
  }

  private positionOf({ topic, partition }: Slice, part: Part): SlicePosition {
    return { topic, partition, first: part.first, next: part.last + 1n, owner: this.owner };
  }
}

interface Part {
  readonly first: bigint;
  readonly last: bigint;
  readonly events: readonly MeteredEvent[];
}

/** Whole messages, up to about the number of events that one transaction should take. */
function partsOf({ messages }: Slice): Part[] {
  const parts: { first: bigint; last: bigint; events: MeteredEvent[] }[] = [];
  for (const message of messages) {
    const events = eventsOf(message);
    const open = parts.at(-1);
    if (open === undefined || open.events.length + events.length > MOST_EVENTS) {
      parts.push({ first: message.offset, last: message.offset, events: [...events] });
    } else {
      for (const event of events) open.events.push(event);
      open.last = message.offset;
    }
  }
  return parts;
}

/** Written by ingestion only: what is not such an array is a bug, and stops the partition instead of losing usage. */
function eventsOf(message: IncomingMessage): readonly MeteredEvent[] {
  const events: unknown = JSON.parse(message.value.toString('utf8'));
  if (!Array.isArray(events))
    throw new TypeError(`${message.topic}/${message.partition}@${message.offset} is no array`);
  return events as readonly MeteredEvent[];
}
