import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { formatInstant } from '@tallygate/kernel';
import { Api, Operation, RootOnly, ServiceContext, ZodBody } from '@tallygate/platform';
import { z } from 'zod';
import { UsagePartitions } from '../service/usage-partitions';
import type { PartitionState } from '../service/usage-partitions';
import { LEDGER_TAG } from './operations';
import { PARTITIONS } from './partition-operations';
import { REFUSALS } from './refusals';

const text = z.string().min(1).max(255);
const skipBody = z.strictObject({
  topic: text,
  // As wide as Kafka counts partitions (int32).
  partition: z.int().min(0).max(2_147_483_647),
  author: text,
  reason: text,
});

/** How far usage was taken, for the operator of the installation. */
@Api(LEDGER_TAG)
@Controller('v1/partitions')
@RootOnly()
export class PartitionsController {
  constructor(
    private readonly partitions: UsagePartitions,
    private readonly context: ServiceContext,
  ) {}

  @Get()
  @Operation(PARTITIONS.list)
  async list(): Promise<unknown> {
    return (await this.partitions.list()).map(partitionView);
  }

  /** Goes on behind lost messages, from the first that exists. */
  @Post('skip')
  @Operation(PARTITIONS.skip)
  @HttpCode(200)
  async skip(@Body(new ZodBody(skipBody)) request: z.output<typeof skipBody>): Promise<unknown> {
    const outcome = await this.partitions.skip(request, this.context.clock.now());
    if (outcome.status === 'not_stopped') throw REFUSALS.partition_not_stopped(request);
    const { from, to } = outcome;
    return { ...request, from: Number(from), to: Number(to) };
  }
}

function partitionView({ topic, partition, next, epoch, owner, stop }: PartitionState) {
  return {
    topic,
    partition,
    next: Number(next),
    epoch: Number(epoch),
    owner,
    stopped: stop && { continues_at: Number(stop.first), at: formatInstant(stop.stoppedAt) },
  };
}
