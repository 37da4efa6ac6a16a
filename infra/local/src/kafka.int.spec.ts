import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { startKafka, type KafkaServer } from './kafka';

const TOPIC = 'usage.raw';

function client(server: KafkaServer): Kafka {
  return new Kafka({ brokers: server.brokers, logLevel: logLevel.NOTHING });
}

async function createTopic(server: KafkaServer): Promise<void> {
  const admin = client(server).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 2 }] });
  await admin.disconnect();
}

async function produce(server: KafkaServer, value: string, transactionalId?: string): Promise<void> {
  const producer = client(server).producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const sender = transactionalId === undefined ? producer : await producer.transaction();
  await sender.send({ topic: TOPIC, messages: [{ key: 'customer', value }] });
  if ('commit' in sender) await sender.commit();
  await producer.disconnect();
}

/** The first `count` values a new group reads from the beginning. */
async function consume(server: KafkaServer, groupId: string, count: number): Promise<string[]> {
  const consumer = client(server).consumer({ groupId });
  const values: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
      values.push(String(message.value));
      if (values.length === count) resolve();
      return Promise.resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return values;
}

describe('Kafka', () => {
  let server: KafkaServer;

  beforeAll(async () => {
    server = await startKafka({ settings: { 'message.max.bytes': '2000000' } });
    await createTopic(server);
  });
  afterAll(() => server.stop());

  it('delivers what was produced, and the first consumer joins without a crash', async () => {
    await produce(server, 'one');
    expect(await consume(server, 'readers', 1)).toEqual(['one']);
  });

  it('takes transactions', async () => {
    await produce(server, 'two', 'writer');
    expect(await consume(server, 'other-readers', 2)).toEqual(['one', 'two']);
  });

  it('creates no topic by itself, and takes settings', async () => {
    const admin = client(server).admin();
    await admin.connect();
    await expect(admin.fetchTopicMetadata({ topics: ['unheard.of'] })).rejects.toThrow(
      /does not host this topic/,
    );
    const { resources } = await admin.describeConfigs({
      resources: [{ type: 4, name: '1' }],
      includeSynonyms: false,
    });
    const entries = resources[0]?.configEntries ?? [];
    expect(entries.find(({ configName }) => configName === 'message.max.bytes')?.configValue).toBe('2000000');
    await admin.disconnect();
  });
});

describe('Kafka with a data folder', () => {
  let dataDir: string;
  beforeEach(async () => (dataDir = await mkdtemp(join(tmpdir(), 'tallygate-data-'))));
  afterEach(() => rm(dataDir, { recursive: true }));

  it.each(['stop', 'kill'] as const)('keeps its topics over %s and start on the same port', async (end) => {
    const first = await startKafka({ dataDir });
    await createTopic(first);
    await produce(first, 'before');
    await first[end]();
    const second = await startKafka({ dataDir, port: Number(first.brokers[0]?.split(':')[1]) });
    expect(second.brokers).toEqual(first.brokers);
    await produce(second, 'after');
    expect(await consume(second, 'readers', 2)).toEqual(['before', 'after']);
    await second.stop();
  });

  it('shows the end of its log when it cannot start', async () => {
    const start = startKafka({ dataDir, settings: { 'num.io.threads': 'many' } });
    await expect(start).rejects.toThrow(/kafka ended with code 1 before it was ready[^]*num\.io\.threads/);
  });
});
