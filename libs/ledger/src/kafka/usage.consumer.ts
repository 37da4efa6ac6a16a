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
import type { SliceOutcome } from '../service/usage-slice.service';
import { UsageStore } from '../service/usage-store';
import type { SlicePosition } from '../service/usage-store';
import { PartitionAlarm } from './partition-alarm';

/** Enough that the fixed cost of a transaction is spread, few enough that nobody waits for a lock for long. */
const MOST_EVENTS = 4_000;
/** Room for a full slice in one answer: while there is a backlog, each transaction takes as much as it may. */
const MOST_BYTES = 2 * 1024 * 1024;

/** Takes metered usage, partition by partition, in transactions that store the partition's offset themselves. */
@Injectable()
export class UsageConsumer implements OnModuleInit {
  private readonly owner: string;
  /** Under which each partition was taken over last; a slice in hand keeps the one it began with. */
  private readonly epochs = new Map<string, bigint>();

  constructor(
    private readonly context: ServiceContext,
    private readonly database: Database,
    private readonly slices: UsageSliceService,
    private readonly usage: UsageStore,
    private readonly feed: BalanceFeed,
    private readonly alarm: PartitionAlarm,
    ids: Ids,
  ) {
    this.owner = ids.next();
  }

  async onModuleInit(): Promise<void> {
    await this.context.subscribe({
      topics: [TOPICS.usageMetered],
      group: USAGE_GROUP,
      maxBytes: MOST_BYTES,
      handle: (slice) => this.handle(slice),
      startAt: (topic, partition) => this.startAt(topic, partition),
    });
  }

  /** Fences whoever held the partition before, and publishes what it had gathered when it went. */
  private async startAt(topic: string, partition: number): Promise<bigint | null> {
    const { epoch, next } = await this.database.asWorker((tx) =>
      this.usage.takeOver(tx, topic, partition, this.owner),
    );
    this.epochs.set(nameOf({ topic, partition }), epoch);
    await this.feed.recover();
    return next;
  }

  private async handle(slice: Slice): Promise<void> {
    const epoch = this.epochs.get(nameOf(slice)) ?? 0n;
    for (const part of partsOf(slice)) {
      const position = slice.ephemeral ? null : positionOf(slice, part, epoch);
      await this.judge(slice, await this.slices.take(part.events, position));
    }
  }

  private async judge(slice: Slice, outcome: SliceOutcome): Promise<void> {
    if (outcome.status === 'fenced')
      throw new Error(`Partition ${slice.topic}/${slice.partition} has another owner`);
    if (outcome.status === 'gap') throw await this.alarm.raise(slice, outcome);
    await this.alarm.clear(slice);
  }
}

function nameOf({ topic, partition }: Pick<Slice, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`;
}

function positionOf({ topic, partition, end }: Slice, part: Part, epoch: bigint): SlicePosition {
  const position = { topic, partition, first: part.first, next: part.last + 1n, epoch };
  return end === undefined ? position : { ...position, end };
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
