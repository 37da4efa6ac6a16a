import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { TOPICS, unpackUsage } from '@tallygate/contracts';
import { Ids } from '@tallygate/kernel';
import { Database, GroupCommit, ServiceContext } from '@tallygate/platform';
import type { IncomingMessage, Slice } from '@tallygate/platform';
import { USAGE_GROUP } from '../postgres/pg-usage.store';
import { BalanceFeed } from '../service/balance-feed';
import { UsageSliceService } from '../service/usage-slice.service';
import type { SliceOutcome, SlicePart } from '../service/usage-slice.service';
import { UsageStore } from '../service/usage-store';
import type { SlicePosition } from '../service/usage-store';
import { PartitionAlarm } from './partition-alarm';

/**
 * Of the messages of one transaction, about 8,000 events: enough that its fixed cost is spread, few enough that nobody
 * waits for a lock for long.
 */
const MOST_BYTES = 640 * 1024;
/** Below this a transaction of its own costs more than waiting for the other's. */
const ENOUGH_BYTES = 80 * 1024;
/** One can work while the other's statement is on its way; more of them only share the processors. */
const TRANSACTIONS = 2;
/** More partitions than a member is likely to have: each one's slice is at hand for the next transaction. */
const MOST_PARTITIONS = 32;

/** A wallet costs a slice the same however many of its events are in it: what waits longer is done with sooner. */
const PERIOD_MS = 200;

/**
 * Takes metered usage in transactions that store the partitions' offsets themselves. What is at hand of several
 * partitions shares a transaction.
 */
@Injectable()
export class UsageConsumer implements OnModuleInit {
  private readonly owner: string;
  /** Under which each partition was taken over last; a slice in hand keeps the one it began with. */
  private readonly epochs = new Map<string, bigint>();
  private readonly transactions = new GroupCommit<Part, SliceOutcome>({
    commit: (parts) => this.slices.takeTogether(parts.map(slicePartOf)),
    sizeOf: ({ bytes }) => bytes,
    most: MOST_BYTES,
    enough: ENOUGH_BYTES,
    lanes: TRANSACTIONS,
  });

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
      partitionsAtOnce: MOST_PARTITIONS,
      periodMs: PERIOD_MS,
      maxBytes: MOST_BYTES / TRANSACTIONS,
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
    for (const part of partsOf(slice, epoch)) await this.judge(slice, await this.transactions.add(part));
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

/** Some of a slice's messages, to be read when their transaction begins: what waits as bytes costs the least. */
interface Part {
  readonly messages: readonly IncomingMessage[];
  readonly bytes: number;
  /** Null on a bus without offsets. */
  readonly position: SlicePosition | null;
}

function partsOf(slice: Slice, epoch: bigint): Part[] {
  return cut(slice.messages).map(({ messages, bytes }) => {
    const position = slice.ephemeral ? null : positionOf(slice, messages, epoch);
    return { messages, bytes, position };
  });
}

function positionOf(
  { topic, partition, end }: Slice,
  messages: readonly IncomingMessage[],
  epoch: bigint,
): SlicePosition {
  const first = messages[0]?.offset ?? 0n;
  const next = (messages.at(-1)?.offset ?? -1n) + 1n;
  const position = { topic, partition, first, next, epoch };
  return end === undefined ? position : { ...position, end };
}

/** Whole messages, up to the bytes that one transaction should take. */
function cut(messages: readonly IncomingMessage[]): { messages: IncomingMessage[]; bytes: number }[] {
  const cuts: { messages: IncomingMessage[]; bytes: number }[] = [];
  for (const message of messages) {
    const open = cuts.at(-1);
    if (open === undefined || open.bytes + message.size > MOST_BYTES)
      cuts.push({ messages: [message], bytes: message.size });
    else {
      open.messages.push(message);
      open.bytes += message.size;
    }
  }
  return cuts;
}

function slicePartOf({ messages, position }: Part): SlicePart {
  return { events: messages.flatMap(({ value }) => unpackUsage(value)), position };
}
