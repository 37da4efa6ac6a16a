import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { backoffMs } from '../flow/backoff';
import { Pause, orAfter } from '../flow/signal';
import { restOf } from './event-bus';
import type { Subscription } from './event-bus';
import type { FetchedRecord } from './fetched-record';
import { KafkaCommits } from './kafka-commits';
import type { KafkaSettings } from './kafka-event-bus';
import { KafkaPositions, nameOf } from './kafka-positions';
import { isUnknownTopic } from './unknown-topic';
import type { TopicPartition } from './kafka-positions';

const HEARTBEAT_MS = 1_000;
/** Also how long a join or a stop waits at most for a member that is asking. */
const LONGEST_FETCH_MS = 1_000;
const MOST_IN_SLICE = 1000;
const REMOTE_POLL_MS = 200;
const MOST_OPEN_ATTEMPTS = 8;
const EARLIEST = '-2';

/**
 * kafkajs reads a whole answer at once and keeps it until its last message was handled: large answers are what the
 * garbage collector copies most. All partitions of a member together should stay below the 10 MiB that one answer
 * holds, since kafkajs asks for them in the same order each time and a broker fills its answer in that order.
 */
const MOST_BYTES = 512 * 1024;

/**
 * One consumer of one group. A slice is handled, then committed; a handler that fails makes its partition pause for a
 * back-off and then get the same messages again, for ever, while the other partitions go on. The consumer is replaced
 * when it has crashed for good or has silently stopped fetching.
 */
export class KafkaSubscription {
  private readonly positions = new KafkaPositions();
  private readonly failures = new Map<string, number>();
  private readonly resumes = new Set<NodeJS.Timeout>();
  /** Partitions whose last batch did not reach the end of the log. */
  private readonly behind = new Set<string>();
  private readonly watch = new Pause();
  private readonly commits = new KafkaCommits((error) =>
    this.settings.log.warn({ err: error, group: this.subscription.group }, 'a commit failed'),
  );
  private consumer: Consumer | undefined;
  /** Where each partition of the present assignment starts; a batch waits for its own before it is handled. */
  private starts = new Map<string, Promise<void>>();
  private assigned: readonly TopicPartition[] = [];
  private revoking: Promise<void> = Promise.resolve();
  private lastFetch = 0;
  private crashed = false;
  private stopping = false;
  /** The group is about to be left: what is handled from now on tells so itself. */
  private leaving = false;
  private watching: Promise<void> = Promise.resolve();

  constructor(
    private readonly kafka: Kafka,
    private readonly admin: Admin,
    private readonly subscription: Subscription,
    private readonly settings: KafkaSettings,
  ) {}

  async start(): Promise<void> {
    await this.openOnceKnown();
    this.watching = this.watchForStalls();
  }

  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    this.watch.wake();
    await this.watching;
    await this.closeConsumer();
  }

  /** Everything in the log at this call is handled: by this member, or by the one whose partition it is. */
  async caughtUp(): Promise<void> {
    const ends = (await Promise.all(this.subscription.topics.map((topic) => this.endsOf(topic)))).flat();
    await Promise.all(ends.map((end) => this.reach(end)));
  }

  /** A topic that was created a moment ago may be listed already and still be unknown to the broker that is asked. */
  private async openOnceKnown(attempt = 1): Promise<void> {
    try {
      await this.open();
    } catch (error) {
      await this.closeConsumer();
      if (!isUnknownTopic(error) || attempt === MOST_OPEN_ATTEMPTS) throw error;
      await new Pause().wait(backoffMs(attempt));
      await this.openOnceKnown(attempt + 1);
    }
  }

  private async open(): Promise<void> {
    const consumer = this.kafka.consumer({
      groupId: this.subscription.group,
      sessionTimeout: this.settings.sessionTimeoutMs,
      rebalanceTimeout: this.settings.sessionTimeoutMs * 2,
      heartbeatInterval: HEARTBEAT_MS,
      minBytes: 1,
      maxWaitTimeInMs: LONGEST_FETCH_MS,
      maxBytesPerPartition: this.subscription.maxBytes ?? MOST_BYTES,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 8 },
    });
    this.consumer = consumer;
    this.leaving = false;
    this.crashed = false;
    this.listen(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: [...this.subscription.topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently:
        this.subscription.partitionsAtOnce ?? this.settings.partitionsConsumedConcurrently,
      eachBatch: (payload) => this.onBatch(payload),
    });
    this.lastFetch = performance.now();
  }

  private listen(consumer: Consumer): void {
    const { events } = consumer;
    const mine = (act: () => void) => () => {
      if (this.consumer === consumer) act();
    };
    consumer.on(
      events.FETCH_START,
      mine(() => (this.lastFetch = performance.now())),
    );
    consumer.on(
      events.REBALANCING,
      mine(() => this.revoke()),
    );
    consumer.on(events.GROUP_JOIN, ({ payload }) =>
      mine(() => this.assign(consumer, payload.memberAssignment))(),
    );
    consumer.on(events.CRASH, ({ payload }) =>
      mine(() => {
        this.settings.log.warn(
          { err: payload.error, group: this.subscription.group },
          'the consumer crashed',
        );
        this.revoke();
        if (payload.restart) return;
        this.crashed = true;
        this.watch.wake();
      })(),
    );
  }

  /** kafkajs calls this inside the join, before the first fetch is sent; what it starts is awaited by each batch. */
  private assign(consumer: Consumer, assignment: Readonly<Record<string, readonly number[]>>): void {
    this.revoke();
    this.assigned = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    // kafkajs keeps a pause over a rejoin, while the timers that would end it went with the revocation.
    consumer.resume(this.subscription.topics.map((topic) => ({ topic })));
    this.starts = new Map(
      this.assigned.map((partition) => [nameOf(partition), this.seekToStart(consumer, partition)]),
    );
    for (const start of this.starts.values()) start.catch(() => undefined);
  }

  private async seekToStart(consumer: Consumer, { topic, partition }: TopicPartition): Promise<void> {
    await this.revoking;
    if (this.subscription.startAt === undefined) return;
    for (let failures = 1; this.consumer === consumer && !this.stopping; failures += 1) {
      try {
        const start = await this.subscription.startAt(topic, partition);
        if (this.consumer === consumer)
          consumer.seek({ topic, partition, offset: start === null ? EARLIEST : start.toString() });
        return;
      } catch (error) {
        this.settings.log.error(
          { err: error, topic, partition },
          'cannot read where the partition starts; trying again',
        );
        await new Pause().wait(backoffMs(failures));
      }
    }
  }

  private revoke(): void {
    const { assigned } = this;
    this.assigned = [];
    this.starts = new Map();
    this.commits.giveBack();
    this.positions.reset();
    this.failures.clear();
    this.behind.clear();
    for (const timer of this.resumes) clearTimeout(timer);
    this.resumes.clear();
    const { onRevoked } = this.subscription;
    if (onRevoked === undefined || assigned.length === 0) return;
    this.revoking = this.revoking.then(() => this.announceRevoked(onRevoked, assigned));
  }

  private async announceRevoked(
    onRevoked: NonNullable<Subscription['onRevoked']>,
    assigned: readonly TopicPartition[],
  ): Promise<void> {
    for (const topic of new Set(assigned.map((one) => one.topic))) {
      const partitions = assigned.filter((one) => one.topic === topic).map((one) => one.partition);
      try {
        await onRevoked(topic, partitions);
      } catch (error) {
        this.settings.log.error({ err: error, topic, partitions }, 'giving partitions back failed');
      }
    }
  }

  private async onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const here = { topic: batch.topic, partition: batch.partition };
    const { starts } = this;
    const start = starts.get(nameOf(here));
    if (start === undefined) return;
    await beating(payload, start);
    // A seek of the start position waits: this batch was fetched from elsewhere.
    if (payload.isStale()) return;
    const began = performance.now();
    this.noteEnd(payload);
    const most = this.subscription.maxSlice ?? MOST_IN_SLICE;
    // What `leanFetchAnswers` makes of an answer.
    const messages = batch.messages as readonly unknown[] as readonly FetchedRecord[];
    for (let at = 0; at < messages.length; at += most) {
      if (!payload.isRunning() || payload.isStale() || this.starts !== starts) return;
      if (!(await this.onSlice(payload, messages.slice(at, at + most)))) return;
    }
    await this.rest(performance.now() - began);
  }

  private noteEnd({ batch }: EachBatchPayload): void {
    const behind = BigInt(batch.lastOffset()) + 1n < BigInt(batch.highWatermark);
    if (behind) this.behind.add(nameOf(batch));
    else this.behind.delete(nameOf(batch));
  }

  /** kafkajs reads on, for all partitions, when the last batch of an answer is done with. */
  private async rest(tookMs: number): Promise<void> {
    const restMs = this.behind.size === 0 ? restOf(tookMs, this.subscription.periodMs ?? 0) : 0;
    if (restMs > 0) await new Pause().wait(restMs);
  }

  /** @returns whether the slice was handled; when not, the partition is paused and will come again */
  private async onSlice(payload: EachBatchPayload, messages: readonly FetchedRecord[]): Promise<boolean> {
    const { topic, partition } = payload.batch;
    const last = messages[messages.length - 1];
    if (last === undefined) return true;
    const slice = {
      topic,
      partition,
      messages,
      end: BigInt(payload.batch.highWatermark),
      ephemeral: false,
    };
    try {
      await beating(payload, this.subscription.handle(slice));
    } catch (error) {
      if (error instanceof LostMembership) throw error.reason;
      this.tryLater(payload, error);
      return false;
    }
    this.failures.delete(nameOf({ topic, partition }));
    const next = last.offset + 1n;
    payload.resolveOffset(last.offset.toString());
    this.commits.add(payload, next);
    this.positions.set({ topic, partition }, next);
    if (this.leaving) await this.commits.flush();
    await payload.heartbeat();
    return true;
  }

  private tryLater(payload: EachBatchPayload, error: unknown): void {
    const { topic, partition } = payload.batch;
    const name = nameOf({ topic, partition });
    const failures = (this.failures.get(name) ?? 0) + 1;
    this.failures.set(name, failures);
    // It waits on its own account: the others may rest.
    this.behind.delete(name);
    const retryMs = backoffMs(failures);
    const { group } = this.subscription;
    this.settings.log.error(
      { err: error, group, topic, partition, failures, retryMs },
      'a handler failed; the partition waits and tries again',
    );
    const resume = payload.pause();
    const timer = setTimeout(() => {
      this.resumes.delete(timer);
      resume();
    }, retryMs);
    timer.unref();
    this.resumes.add(timer);
  }

  private async watchForStalls(): Promise<void> {
    while (!this.stopping) {
      await this.watch.wait(this.settings.stallMs / 4);
      const stalled = performance.now() - this.lastFetch > this.settings.stallMs;
      if (!this.stopping && (this.crashed || stalled)) await this.replace();
    }
  }

  private async replace(): Promise<void> {
    const { group } = this.subscription;
    this.settings.log.warn({ group, crashed: this.crashed }, 'replacing the consumer');
    try {
      await this.closeConsumer();
      await this.open();
    } catch (error) {
      this.settings.log.error({ err: error, group }, 'cannot open a consumer; trying again');
      this.crashed = true;
      this.lastFetch = performance.now();
      await new Pause().wait(1_000);
      this.watch.wake();
    }
  }

  private async closeConsumer(): Promise<void> {
    const { consumer } = this;
    if (consumer === undefined) return;
    // Stopping waits for the batches in progress, which tell what they handled themselves, and leaves the group; only then
    // may another member get the partitions, so the handler hears of it before the connection goes.
    this.leaving = true;
    await this.commits.flush();
    await consumer.stop().catch(() => undefined);
    this.consumer = undefined;
    this.revoke();
    await this.revoking;
    await consumer.disconnect().catch(() => undefined);
  }

  private async endsOf(topic: string): Promise<(TopicPartition & { readonly end: bigint })[]> {
    const offsets = await this.admin.fetchTopicOffsets(topic);
    return offsets.map(({ partition, high }) => ({ topic, partition, end: BigInt(high) }));
  }

  private async reach(end: TopicPartition & { readonly end: bigint }): Promise<void> {
    while (!this.stopping) {
      const change = this.positions.change();
      const position = this.positions.of(end) ?? (await this.storedPosition(end));
      if (position >= end.end) return;
      await (this.isAssigned(end) ? change : orAfter(REMOTE_POLL_MS, change));
    }
  }

  private isAssigned({ topic, partition }: TopicPartition): boolean {
    return this.assigned.some((one) => one.topic === topic && one.partition === partition);
  }

  /** What this member has not handled itself: an earlier run's work, or another member's. */
  private async storedPosition({ topic, partition }: TopicPartition): Promise<bigint> {
    const own = this.isAssigned({ topic, partition })
      ? await this.subscription.startAt?.(topic, partition)
      : undefined;
    if (own !== undefined && own !== null) return own;
    const committed = await this.admin.fetchOffsets({ groupId: this.subscription.group, topics: [topic] });
    const offset = committed[0]?.partitions.find((one) => one.partition === partition)?.offset ?? '-1';
    if (this.subscription.startAt === undefined && offset !== '-1') return BigInt(offset);
    if (this.subscription.startAt !== undefined && !this.isAssigned({ topic, partition }) && offset !== '-1')
      return BigInt(offset);
    return this.firstOffset(topic, partition);
  }

  private async firstOffset(topic: string, partition: number): Promise<bigint> {
    const offsets = await this.admin.fetchTopicOffsets(topic);
    return BigInt(offsets.find((one) => one.partition === partition)?.low ?? '0');
  }
}

/** The group no longer counts this member in; kafkajs must hear the reason to join again. */
class LostMembership extends Error {
  constructor(readonly reason: unknown) {
    super('no longer a member of the group');
  }
}

/**
 * Heart-beats while `work` runs, however long it takes: a slow slice must not cost the membership. Waits for the work
 * even after the membership is lost, so that no two slices of a partition ever run at once in this process.
 */
async function beating<T>({ heartbeat }: EachBatchPayload, work: Promise<T>): Promise<T> {
  let lost: LostMembership | undefined;
  const timer = setInterval(() => {
    heartbeat().catch((error: unknown) => (lost = new LostMembership(error)));
  }, HEARTBEAT_MS);
  try {
    const result = await work;
    return result;
  } catch (error) {
    throw lost ?? error;
  } finally {
    clearInterval(timer);
  }
}
