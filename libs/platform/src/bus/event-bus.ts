/** A message to publish. The key decides the partition: messages of one key stay in order. */
export interface OutgoingMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A message as received. `offset` is -1n on the in-process bus, which keeps no log. */
export interface IncomingMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
  readonly value: Buffer;
  /** Bytes of the value. */
  readonly size: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Consecutive messages of one partition, in order. */
export interface Slice {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly IncomingMessage[];
  /** Offset after the last message that the partition had when these were read; absent on a bus without a log. */
  readonly end?: bigint;
  /** True on a bus without a log: no offset is kept, the publisher repeats what was not handled. */
  readonly ephemeral: boolean;
}

export interface Subscription {
  readonly topics: readonly string[];
  /** Every group sees every message; inside a group each partition has one reader. */
  readonly group: string;
  /**
   * Handles one slice. The slice counts as done when the promise resolves; when it rejects, the same messages come
   * again (Kafka: after a back-off, for ever; in process: the publisher's promise rejects with the error).
   */
  readonly handle: (slice: Slice) => Promise<void>;
  /**
   * Where a partition just assigned starts, for handlers that store offsets in their own transaction. Without it the
   * group's committed offset is used; the bus commits what was handled twice a second, and at once when the member
   * stops, so that after a crash or a rebalance the last half second may come again.
   */
  readonly startAt?: (topic: string, partition: number) => Promise<bigint | null>;
  /** Called when partitions are taken away, before another member may get them. */
  readonly onRevoked?: (topic: string, partitions: readonly number[]) => Promise<void>;
  /** Most messages in one slice; default 1000. */
  readonly maxSlice?: number;
  /** How many partitions' slices are handled at the same time, on a bus that reads ahead; default: the bus's own. */
  readonly partitionsAtOnce?: number;
  /**
   * Milliseconds from one read to the next of a reader that keeps up; see `restOf`. Default 0: it reads on at once.
   */
  readonly periodMs?: number;
  /** Most bytes of a partition that are read ahead at once, on a bus that reads ahead; default 512 KiB. */
  readonly maxBytes?: number;
}

/**
 * How long a reader which has come to the end of a log waits before it reads on: until its period is over, and no longer
 * than twice what it worked. The busier it is, the larger its slices and the less each message costs; at rest it answers
 * at once, and one that has more to do than its period holds does not wait.
 */
export function restOf(workedMs: number, periodMs: number): number {
  return Math.max(0, Math.min(2 * workedMs, periodMs - workedMs));
}

export interface RunningSubscription {
  /** Resolves when everything published before the call was handled by this subscription. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Facts between services. Kafka in production, in process on the embedded default; one conformance suite holds both.
 * `publish` resolves when the messages are durable (Kafka: acknowledged by all in-sync replicas; in process: handled by
 * every subscriber), so whoever awaits it may forget the source.
 */
export abstract class EventBus {
  abstract publish(topic: string, messages: readonly OutgoingMessage[]): Promise<void>;
  /**
   * Which partition of a topic a key's messages go to. The same function until the topic is repartitioned, which may be
   * noticed up to a minute late.
   */
  abstract partitioning(topic: string): Promise<(key: string) => number>;
  abstract subscribe(subscription: Subscription): Promise<RunningSubscription>;
  abstract close(): Promise<void>;
}
