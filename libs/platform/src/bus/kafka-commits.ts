import type { EachBatchPayload } from 'kafkajs';
import { orAfter } from '../flow/signal';
import { nameOf } from './kafka-positions';

interface Commit {
  readonly payload: EachBatchPayload;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/**
 * A commit costs the broker as much as a message does, and most slices are one message. What a crash makes come again is
 * as much longer; handlers take a repeat anyway.
 */
const EVERY_MS = 500;
/** A broker that is away must not keep a consumer from being stopped or replaced. */
const PATIENCE_MS = 2_000;

/** How far the partitions are handled, told to the broker twice a second and when a member gives them back. */
export class KafkaCommits {
  private handled = new Map<string, Commit>();
  private timer: NodeJS.Timeout | null = null;
  private committing: Promise<void> = Promise.resolve();

  /** @param onFailure what was to be told is told with the next commit, unless the partitions are given back before */
  constructor(private readonly onFailure: (error: unknown) => void) {}

  add(payload: EachBatchPayload, next: bigint): void {
    const { topic, partition } = payload.batch;
    this.handled.set(nameOf({ topic, partition }), { payload, topic, partition, offset: next.toString() });
    this.commitSoon();
  }

  /** Tells what was handled until now; resolves when the broker has heard of it, or does not answer. */
  flush(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const { handled } = this;
    if (handled.size > 0) this.committing = this.committing.then(() => this.commit(handled));
    return orAfter(PATIENCE_MS, this.committing);
  }

  /** Of partitions that are given back nothing more is told after this. */
  giveBack(): void {
    void this.flush();
    this.handled = new Map();
  }

  private async commit(handled: Map<string, Commit>): Promise<void> {
    const commits = [...handled.values()];
    try {
      await commits[0]?.payload.commitOffsetsIfNecessary({ topics: byTopic(commits) });
      for (const one of commits) if (handled.get(nameOf(one)) === one) handled.delete(nameOf(one));
    } catch (error) {
      this.onFailure(error);
      if (handled === this.handled) this.commitSoon();
    }
  }

  private commitSoon(): void {
    this.timer ??= setTimeout(() => void this.flush(), EVERY_MS);
  }
}

function byTopic(commits: readonly Commit[]): { topic: string; partitions: Commit[] }[] {
  return [...new Set(commits.map(({ topic }) => topic))].map((topic) => ({
    topic,
    partitions: commits.filter((one) => one.topic === topic),
  }));
}
