import { Injectable } from '@nestjs/common';
import { counter, gauge, ServiceContext } from '@tallygate/platform';
import type { ReadinessCheck } from '@tallygate/platform';
import { PartitionStops } from '../service/partition-stops';
import type { UsagePartitions } from '../service/usage-partitions';
import type { PartitionName } from '../service/usage-partitions';

const HOW =
  'send what is gone again from its sources, where they have it; then: tallygate partitions skip --topic T --partition N --author NAME --reason TEXT';

/**
 * Says loudly that a partition stands still because the log lost messages: an alert to every tenant, a row for every
 * process to see, a metric, the log at each try, and /readyz. It ends by itself when the partition goes on.
 */
@Injectable()
export class PartitionAlarm {
  private readonly raised = new Set<string>();

  constructor(
    private readonly context: ServiceContext,
    private readonly stops: PartitionStops,
  ) {}

  async raise(
    { topic, partition }: PartitionName,
    { stored, first }: { readonly stored: bigint; readonly first: bigint },
  ): Promise<Error> {
    await this.stops.stop({ topic, partition, stored, first, stoppedAt: this.context.clock.now() });
    this.raised.add(`${topic}/${partition}`);
    this.stopped.set({ topic, partition: String(partition) }, 1);
    this.refused.inc({ topic, partition: String(partition) });
    return new Error(
      `Partition ${topic}/${partition} continues at ${first} where ${stored} is next: usage between them is gone. To go on: ${HOW}`,
    );
  }

  async clear({ topic, partition }: PartitionName): Promise<void> {
    if (!this.raised.delete(`${topic}/${partition}`)) return;
    await this.stops.clear({ topic, partition });
    this.stopped.set({ topic, partition: String(partition) }, 0);
    this.context.log.warn({ topic, partition }, 'the partition goes on');
  }

  private get stopped() {
    const help = '1: the partition stands still, because the log lost messages';
    return gauge(this.context.metrics, 'tallygate_partition_stopped', help, ['topic', 'partition']);
  }

  private get refused() {
    const help = 'Slices refused because messages before them are gone';
    return counter(this.context.metrics, 'tallygate_partition_gaps_total', help, ['topic', 'partition']);
  }
}

/** The service answers while a partition stands still, so this makes it degraded, not unready. */
export function partitionsCheck(partitions: UsagePartitions): ReadinessCheck {
  return {
    name: 'usage partitions',
    where: 'table partition_stop',
    start: HOW,
    degrades: true,
    check: async () => {
      const stopped = (await partitions.list()).filter(({ stop }) => stop !== null);
      if (stopped.length === 0) return;
      const each = stopped.map(
        ({ topic, partition, next, stop }) =>
          `${topic}/${partition} continues at ${stop?.first} where ${next} is next`,
      );
      throw new Error(`usage is lost and not taken: ${each.join(', ')}`);
    },
  };
}
