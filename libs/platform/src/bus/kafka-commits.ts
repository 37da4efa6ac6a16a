import type { EachBatchPayload } from 'kafkajs';
import { GroupCommit } from '../flow/group-commit';
import { nameOf } from './kafka-positions';

interface Commit {
  readonly payload: EachBatchPayload;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** Offsets on their way to the broker, which is asked once for all partitions that were done with meanwhile. */
export class KafkaCommits {
  private readonly group = new GroupCommit<Commit, void>({
    commit: commitTogether,
    sizeOf: () => 1,
    most: Infinity,
    enough: Infinity,
    lanes: 1,
  });

  add(payload: EachBatchPayload, next: bigint): Promise<void> {
    const { topic, partition } = payload.batch;
    return this.group.add({ payload, topic, partition, offset: next.toString() });
  }
}

/** Of each partition the last: a commit that nobody awaited may wait beside the one before it. */
async function commitTogether(commits: readonly Commit[]): Promise<readonly void[]> {
  const last = [...new Map(commits.map((one) => [nameOf(one), one])).values()];
  const topics = [...new Set(last.map(({ topic }) => topic))].map((topic) => ({
    topic,
    partitions: last.filter((one) => one.topic === topic),
  }));
  await commits[0]?.payload.commitOffsetsIfNecessary({ topics });
  return [];
}
