import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import { TOPICS } from '@tallygate/contracts';
import { ServiceContext } from '@tallygate/platform';
import type { IncomingMessage, Slice } from '@tallygate/platform';
import { TakeRawUsage } from '../service/take-raw-usage.service';
import { rawEvents } from './raw-message';

/** Large slices make large packs: what is published costs per message. */
const MOST_IN_SLICE = 4_000;

@Injectable()
export class RawUsageConsumer implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly usage: TakeRawUsage,
    private readonly ids: Ids,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.context.subscribe({
      topics: [TOPICS.usageRaw],
      group: 'ingestion.usage',
      maxSlice: MOST_IN_SLICE,
      handle: (slice) => this.handle(slice),
    });
  }

  private async handle(slice: Slice): Promise<void> {
    await this.usage.take(
      slice.messages.flatMap((message) => rawEvents(message, this.originOf(slice, message))),
    );
  }

  /** A bus without a log has no address for a message; it brings none twice unless taking it failed. */
  private originOf({ ephemeral }: Slice, { topic, partition, offset }: IncomingMessage): string {
    return ephemeral ? `${topic}:${this.ids.next()}` : `${topic}:${partition}:${offset}`;
  }
}
