import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Admin, logCreator, Producer, PartitionMetadata } from 'kafkajs';
import { Pause } from '../flow/signal';
import type { Log } from '../telemetry/log';
import { silentLog } from '../telemetry/log';
import { EventBus } from './event-bus';
import type { OutgoingMessage, RunningSubscription, Subscription } from './event-bus';
import { KafkaSubscription } from './kafka-subscription';
import { leanFetchAnswers } from './kafkajs-fetch-answers';
import { calmRequestQueues } from './kafkajs-request-queue';
import { TopicWriter } from './topic-writer';
import { isUnknownTopic } from './unknown-topic';

export interface KafkaBusOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Topics and their partitions; those missing are created at `start`. Partitions of existing ones stay as they are. */
  readonly topics?: Readonly<Record<string, number>>;
  readonly replicationFactor?: number;
  /** Of each group. More than two costs more in garbage that outlives a collection than it gains in waiting. Default 2. */
  readonly partitionsConsumedConcurrently?: number;
  /** A consumer that fetched nothing, not even emptiness, for this long is replaced. Default 30 s. */
  readonly stallMs?: number;
  readonly sessionTimeoutMs?: number;
  readonly log?: Log;
}

export type KafkaSettings = Required<
  Omit<KafkaBusOptions, 'brokers' | 'clientId' | 'topics' | 'replicationFactor'>
>;

const DEFAULTS = {
  partitionsConsumedConcurrently: 2,
  stallMs: 30_000,
  // How long a group stands still after a member was killed, and how long its successor waits to start: kafkajs knows
  // no static membership. A member taken for dead too early is fenced where it matters, so short is safe.
  sessionTimeoutMs: 10_000,
  log: silentLog,
};
const DEFAULT_PARTITIONS = 6;
const MOST_CREATE_ATTEMPTS = 10;

const PARTITIONING_MS = 60_000;

interface Partitioning {
  readonly partitions: number;
  readonly of: (key: string) => number;
  /** On the monotonic clock. */
  readonly until: number;
}

calmRequestQueues();
leanFetchAnswers();

/** The production bus, over kafkajs, which is unmaintained: nothing outside this folder may know it. */
export class KafkaEventBus extends EventBus {
  private readonly settings: KafkaSettings;
  private readonly kafka: Kafka;
  private readonly producer: Producer;
  private readonly admin: Admin;
  private readonly writers = new Map<string, TopicWriter>();
  private readonly subscriptions = new Set<KafkaSubscription>();
  private readonly known = new Set<string>();
  private readonly partitionings = new Map<string, Partitioning>();
  private connected: Promise<void> | undefined;

  constructor(private readonly options: KafkaBusOptions) {
    super();
    this.settings = { ...DEFAULTS, ...options };
    this.kafka = new Kafka({
      clientId: options.clientId,
      brokers: [...options.brokers],
      connectionTimeout: 3_000,
      requestTimeout: 30_000,
      logCreator: quietLog(this.settings.log),
      retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 5 },
    });
    // Not idempotent: kafkajs loses the sequence after a fatal error and then refuses every message. Order is kept by
    // one request in flight per topic, and consumers bear repeats.
    this.producer = this.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    this.admin = this.kafka.admin();
  }

  /** Connects and creates missing topics. Called by the first use when nobody called it before. */
  start(): Promise<void> {
    this.connected ??= this.connect().catch((error: unknown) => {
      this.connected = undefined;
      throw error;
    });
    return this.connected;
  }

  /** Creates the topics that do not exist yet, with this many partitions each. */
  async ensureTopics(topics: Readonly<Record<string, number>>): Promise<void> {
    await this.start();
    await this.createMissing(topics);
  }

  override async publish(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return;
    await this.start();
    await this.requireTopics([topic]);
    await this.writer(topic).write(messages);
  }

  override async partitioning(topic: string): Promise<(key: string) => number> {
    const known = this.partitionings.get(topic);
    if (known !== undefined && performance.now() < known.until) return known.of;
    await this.start();
    await this.requireTopics([topic]);
    // Not fetchTopicMetadata: in kafkajs it takes away what the same client knows of other topics.
    const partitions = await this.admin.fetchTopicOffsets(topic).then(
      (offsets) => offsets.length,
      // While no broker answers, what was known stands: it is the publish that fails, and says which messages were not taken.
      (error: unknown) => known?.partitions ?? Promise.reject(error),
    );
    const until = performance.now() + PARTITIONING_MS;
    const of = known?.partitions === partitions ? known.of : partitionerOver(topic, partitions);
    this.partitionings.set(topic, { partitions, of, until });
    return of;
  }

  override async subscribe(subscription: Subscription): Promise<RunningSubscription> {
    await this.start();
    await this.requireTopics(subscription.topics);
    const running = new KafkaSubscription(this.kafka, this.admin, subscription, this.settings);
    this.subscriptions.add(running);
    await running.start();
    return {
      caughtUp: () => running.caughtUp(),
      stop: async () => {
        this.subscriptions.delete(running);
        await running.stop();
      },
    };
  }

  /** Answers when the brokers do. */
  async ping(): Promise<void> {
    await this.start();
    await this.admin.describeCluster();
  }

  override async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop()));
    this.subscriptions.clear();
    await Promise.all([...this.writers.values()].map((writer) => writer.idle()));
    if (this.connected === undefined) return;
    await this.connected.catch(() => undefined);
    await Promise.all([this.producer.disconnect(), this.admin.disconnect()]);
  }

  private async connect(): Promise<void> {
    await Promise.all([this.producer.connect(), this.admin.connect()]);
    await this.createMissing(this.options.topics ?? {});
  }

  private async requireTopics(topics: readonly string[]): Promise<void> {
    const unknown = topics.filter((topic) => !this.known.has(topic));
    if (unknown.length > 0)
      await this.createMissing(Object.fromEntries(unknown.map((topic) => [topic, DEFAULT_PARTITIONS])));
  }

  private async createMissing(topics: Readonly<Record<string, number>>): Promise<void> {
    const existing = new Set(await this.admin.listTopics());
    const missing = Object.entries(topics).filter(([topic]) => !existing.has(topic));
    if (missing.length > 0) await this.create(missing);
    for (const topic of Object.keys(topics)) this.known.add(topic);
  }

  /** kafkajs asks for a new topic's leaders before every broker knows the topic, and fails on "unknown topic". */
  private async create(missing: readonly (readonly [string, number])[], attempt = 1): Promise<void> {
    try {
      await this.createOnce(missing);
    } catch (error) {
      if (!isUnknownTopic(error) || attempt === MOST_CREATE_ATTEMPTS) throw error;
      await new Pause().wait(attempt * 50);
      await this.create(missing, attempt + 1);
    }
  }

  private async createOnce(missing: readonly (readonly [string, number])[]): Promise<void> {
    await this.admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(([topic, numPartitions]) => ({
        topic,
        numPartitions,
        replicationFactor: this.options.replicationFactor ?? 1,
      })),
    });
  }

  private writer(topic: string): TopicWriter {
    const known = this.writers.get(topic);
    if (known !== undefined) return known;
    const writer = new TopicWriter(topic, this.producer);
    this.writers.set(topic, writer);
    return writer;
  }
}

/** kafkajs tells of each join and each retry as an error; what matters is logged by the subscription itself. */
function quietLog(log: Log): logCreator {
  return () =>
    ({ level, log: { message, ...detail } }) => {
      const { error, groupId, stack } = detail as { error?: unknown; groupId?: unknown; stack?: unknown };
      if (level === logLevel.ERROR || level === logLevel.WARN)
        log.debug({ error, groupId, stack }, `kafka: ${message}`);
    };
}

/** The producer's own choice. */
function partitionerOver(topic: string, partitions: number): (key: string) => number {
  const choose = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => metadataOf(partitionId));
  return (key) => choose({ topic, partitionMetadata, message: { key, value: null } });
}

/** As much of it as choosing looks at: that there is such a partition, and that it has a leader. */
function metadataOf(partitionId: number): PartitionMetadata {
  return { partitionId, partitionErrorCode: 0, leader: 0, replicas: [], isr: [] };
}
