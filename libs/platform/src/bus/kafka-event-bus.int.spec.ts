import { startKafka } from '@tallygate/infra-local';
import type { KafkaServer } from '@tallygate/infra-local';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import type { Transaction } from 'kafkajs';
import { Pause, Signal } from '../flow/signal';
import { eventBusConformance, message, publishReliably, Recorder } from './event-bus.conformance';
import { KafkaEventBus } from './kafka-event-bus';

let server: KafkaServer;
const buses: KafkaEventBus[] = [];

beforeAll(async () => {
  server = await startKafka({ jvmOptions: ['-XX:TieredStopAtLevel=1'] });
});

afterAll(async () => {
  await Promise.all(buses.map((bus) => bus.close()));
  await server?.stop();
});

function newBus(more: Partial<ConstructorParameters<typeof KafkaEventBus>[0]> = {}): KafkaEventBus {
  const bus = new KafkaEventBus({ brokers: server.brokers, clientId: 'spec', ...more });
  buses.push(bus);
  return bus;
}

eventBusConformance('the Kafka bus', async () => newBus({ partitionsConsumedConcurrently: 2 }));

describe('the Kafka bus', () => {
  it('goes on after the last committed slice when a reader comes back', async () => {
    const bus = newBus();
    const [first, second] = [new Recorder(), new Recorder()];
    const running = await bus.subscribe({ topics: ['resume'], group: 'resume', handle: first.handle });
    await bus.publish('resume', [message('a', '1'), message('a', '2')]);
    await running.caughtUp();
    await running.stop();
    await bus.publish('resume', [message('a', '3')]);
    const again = await bus.subscribe({ topics: ['resume'], group: 'resume', handle: second.handle });
    await again.caughtUp();
    expect([first.texts(), second.texts()]).toEqual([['1', '2'], ['3']]);
  });

  it('tells of a slice that was at work when the reader stopped', async () => {
    const bus = newBus();
    const [first, second] = [new Recorder(), new Recorder()];
    const [began, finish] = [new Signal(), new Signal()];
    const [hasBegun, mayFinish] = [began.next(), finish.next()];
    const running = await bus.subscribe({
      topics: ['at-work'],
      group: 'at-work',
      handle: async (slice) => {
        began.raise();
        await mayFinish;
        await first.handle(slice);
      },
    });
    await bus.publish('at-work', [message('a', '1')]);
    await hasBegun;
    const stopping = running.stop();
    finish.raise();
    await stopping;
    const again = await bus.subscribe({ topics: ['at-work'], group: 'at-work', handle: second.handle });
    await again.caughtUp();
    expect([first.texts(), second.texts()]).toEqual([['1'], []]);
  });

  it('tells the broker by itself how far it is, while it goes on', async () => {
    const bus = newBus({ topics: { told: 1 } });
    const reader = new Recorder();
    const running = await bus.subscribe({ topics: ['told'], group: 'told', handle: reader.handle });
    const admin = new Kafka({ brokers: server.brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const told = async () =>
      (await admin.fetchOffsets({ groupId: 'told', topics: ['told'] }))[0]?.partitions[0]?.offset;
    for (const end of ['1', '2']) {
      await bus.publish('told', [message('a', end)]);
      await running.caughtUp();
      while ((await told()) !== end) await new Pause().wait(50);
      expect(await told()).toBe(end);
    }
    await admin.disconnect();
  });

  it('starts where the handler stored, whatever the group committed', async () => {
    const bus = newBus({ topics: { stored: 1 } });
    await bus.publish(
      'stored',
      ['0', '1', '2', '3', '4'].map((text) => message('a', text)),
    );
    for (const [start, expected] of [
      [3n, ['3', '4']],
      [1n, ['1', '2', '3', '4']],
      [5n, []],
      [null, ['0', '1', '2', '3', '4']],
    ] as const) {
      const reader = new Recorder();
      const running = await bus.subscribe({
        topics: ['stored'],
        group: 'stored',
        handle: reader.handle,
        startAt: async () => start,
      });
      await running.caughtUp();
      await running.stop();
      expect(reader.texts()).toEqual(expected);
    }
  });

  it('takes what others compressed, passes over what they took back, and goes on behind it', async () => {
    const bus = newBus({ topics: { 'of-others': 1 } });
    const reader = new Recorder();
    const running = await bus.subscribe({ topics: ['of-others'], group: 'of-others', handle: reader.handle });
    const producer = new Kafka({ brokers: server.brokers, logLevel: logLevel.NOTHING }).producer({
      transactionalId: 'others',
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    const send = (transaction: Transaction, text: string) =>
      transaction.send({
        topic: 'of-others',
        compression: CompressionTypes.GZIP,
        messages: [{ key: 'a', value: text, headers: { tenant: text } }],
      });
    const kept = await producer.transaction();
    await send(kept, '1');
    await kept.commit();
    const takenBack = await producer.transaction();
    await send(takenBack, '2');
    await takenBack.abort();
    await bus.publish('of-others', [message('a', '3')]);
    await running.caughtUp();
    expect(reader.handled.map(({ value, headers }) => [value.toString(), headers['tenant']])).toEqual([
      ['1', '1'],
      ['3', undefined],
    ]);
    await producer.disconnect();
  });

  it('waits for a start that is slow to read, and asks again when it cannot be read', async () => {
    const bus = newBus({ topics: { slow: 1 } });
    await bus.publish(
      'slow',
      ['0', '1', '2'].map((text) => message('a', text)),
    );
    const reader = new Recorder();
    let asked = 0;
    const startAt = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if ((asked += 1) === 1) throw new Error('the database is away');
      return 2n;
    };
    const running = await bus.subscribe({ topics: ['slow'], group: 'slow', handle: reader.handle, startAt });
    await reader.until(() => reader.handled.length > 0);
    await running.caughtUp();
    expect(reader.texts()).toEqual(['2']);
  });

  it('shares the partitions of a group between members, each message once, and says which were taken away', async () => {
    const [one, other] = [newBus({ topics: { shared: 4 } }), newBus()];
    const readers = [new Recorder(), new Recorder()];
    const revoked: number[] = [];
    const changed = new Signal();
    const onRevoked = async (_topic: string, partitions: readonly number[]) => {
      revoked.push(...partitions);
      changed.raise();
    };
    const noticed = changed.next();
    const first = await one.subscribe({
      topics: ['shared'],
      group: 'shared',
      handle: readers[0]!.handle,
      onRevoked,
    });
    const second = await other.subscribe({ topics: ['shared'], group: 'shared', handle: readers[1]!.handle });
    await noticed;
    expect(revoked.slice(0, 4).sort()).toEqual([0, 1, 2, 3]);
    await one.publish(
      'shared',
      Array.from({ length: 100 }, (_, n) => message(`k${n}`, String(n))),
    );
    // Each member waits for the other's partitions too.
    await Promise.all([first.caughtUp(), second.caughtUp()]);
    const all = readers.flatMap((reader) => reader.texts());
    expect(new Set(all).size).toBe(100);
    expect(readers.every((reader) => reader.handled.length > 0)).toBe(true);
    await second.stop();
    await one.publish(
      'shared',
      Array.from({ length: 40 }, (_, n) => message(`k${n}`, `again ${n}`)),
    );
    await first.caughtUp();
    expect(new Set(readers[0]!.texts().filter((text) => text.startsWith('again'))).size).toBe(40);
  });

  it('keeps its membership while one slice takes longer than the session', async () => {
    const bus = newBus({ topics: { long: 1 }, sessionTimeoutMs: 6_000 });
    const reader = new Recorder();
    let begun = 0;
    const running = await bus.subscribe({
      topics: ['long'],
      group: 'long',
      handle: async (slice) => {
        begun += 1;
        // Real time is what is tested: longer than the session that the broker would end.
        await new Promise((resolve) => setTimeout(resolve, 8_000));
        await reader.handle(slice);
      },
    });
    await bus.publish('long', [message('a', '1')]);
    await running.caughtUp();
    expect([begun, reader.texts()]).toEqual([1, ['1']]);
  });

  it('replaces a consumer that has stopped fetching', async () => {
    const bus = newBus({ topics: { stall: 1 }, stallMs: 1_000 });
    const reader = new Recorder();
    const running = await bus.subscribe({ topics: ['stall'], group: 'stall', handle: reader.handle });
    await bus.publish('stall', [message('a', '1')]);
    await running.caughtUp();
    // A silent stall: kafkajs believes that it runs, and fetches nothing.
    await consumerOf(bus).stop();
    await publishReliably(bus, 'stall', [message('a', '2')]);
    await reader.until(() => reader.texts().includes('2'));
  });

  it('rejects a message the broker does not take, and no other', async () => {
    const bus = newBus();
    const reader = new Recorder();
    const running = await bus.subscribe({ topics: ['large'], group: 'large', handle: reader.handle });
    await expect(bus.publish('large', [message('a', 'x'.repeat(3_000_000))])).rejects.toThrow(
      'were not taken',
    );
    await bus.publish('large', [message('a', 'small')]);
    await running.caughtUp();
    expect(reader.texts()).toEqual(['small']);
  });

  it('creates topics with the partitions asked for and leaves existing ones alone', async () => {
    const bus = newBus();
    await bus.ensureTopics({ shaped: 3 });
    await bus.ensureTopics({ shaped: 9 });
    const reader = new Recorder();
    const running = await bus.subscribe({ topics: ['shaped'], group: 'shaped', handle: reader.handle });
    await bus.publish(
      'shaped',
      Array.from({ length: 60 }, (_, n) => message(`k${n}`, String(n))),
    );
    await running.caughtUp();
    expect(new Set(reader.handled.map((one) => one.partition))).toEqual(new Set([0, 1, 2]));
  });
});

/** Reaches behind the port for the one thing that has no cause a test could make: kafkajs falling silent. */
function consumerOf(bus: KafkaEventBus): { stop(): Promise<void> } {
  const { subscriptions } = bus as unknown as {
    readonly subscriptions: ReadonlySet<{ readonly consumer: { stop(): Promise<void> } }>;
  };
  const [subscription] = subscriptions;
  if (subscription === undefined) throw new Error('nothing subscribes');
  return subscription.consumer;
}
