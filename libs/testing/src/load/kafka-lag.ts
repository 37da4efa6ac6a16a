import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';

/** How far each group is behind the end of what it reads, asked of the broker: no word of ours is taken for it. */
export class KafkaLag {
  private readonly admin: Admin;

  private constructor(brokers: readonly string[]) {
    this.admin = new Kafka({
      brokers: [...brokers],
      clientId: 'lag-judge',
      logLevel: logLevel.NOTHING,
    }).admin();
  }

  static async connect(brokers: readonly string[]): Promise<KafkaLag> {
    const lag = new KafkaLag(brokers);
    await lag.admin.connect();
    return lag;
  }

  /** Messages that `group` has not committed, of these topics or of all it ever committed. */
  async of(group: string, topics?: string[]): Promise<number> {
    const committed = await this.admin.fetchOffsets({ groupId: group, topics });
    const lags = committed.map(async ({ topic, partitions }) => {
      const done = new Map(partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
      const ends = await this.admin.fetchTopicOffsets(topic);
      return ends.reduce((sum, end) => sum + behind(end, done.get(end.partition)), 0n);
    });
    return Number((await Promise.all(lags)).reduce((sum, lag) => sum + lag, 0n));
  }

  /** Every group with what it lacks. */
  async all(): Promise<ReadonlyMap<string, number>> {
    const { groups } = await this.admin.listGroups();
    const lags = await Promise.all(
      groups.map(async ({ groupId }) => [groupId, await this.of(groupId)] as const),
    );
    return new Map(lags);
  }

  /** Where each partition of a topic ends. */
  async ends(topic: string): Promise<ReadonlyMap<number, bigint>> {
    const ends = await this.admin.fetchTopicOffsets(topic);
    return new Map(ends.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  close(): Promise<void> {
    return this.admin.disconnect();
  }
}

/** A partition without a commit was not begun: everything in it is lacking. */
function behind(end: { readonly high: string; readonly low: string }, done: bigint | undefined): bigint {
  const from = done === undefined || done < 0n ? BigInt(end.low) : done;
  return BigInt(end.high) > from ? BigInt(end.high) - from : 0n;
}
