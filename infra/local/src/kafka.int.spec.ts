import { Kafka, logLevel } from 'kafkajs';
import { startKafka, type KafkaServer } from './kafka';

describe('Kafka', () => {
  let server: KafkaServer;
  beforeAll(async () => {
    console.time('start');
    server = await startKafka();
    console.timeEnd('start');
  });
  afterAll(() => server.stop());

  it('delivers what was produced', async () => {
    const kafka = new Kafka({ brokers: server.brokers, logLevel: logLevel.ERROR });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'usage', numPartitions: 2 }] });
    await admin.disconnect();
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: 'usage', messages: [{ key: 'a', value: 'one' }] });
    await producer.disconnect();
    const consumer = kafka.consumer({ groupId: 'readers' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'usage', fromBeginning: true });
    const value = await new Promise<string | undefined>((resolve, reject) => {
      consumer
        .run({ eachMessage: async ({ message }) => resolve(message.value?.toString()) })
        .catch(reject);
    });
    expect(value).toBe('one');
    await consumer.disconnect();
  });
});
