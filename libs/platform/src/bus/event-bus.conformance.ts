import { Signal } from '../flow/signal';
import type { EventBus, IncomingMessage, OutgoingMessage, Slice, Subscription } from './event-bus';
import { PublishError } from './publish-error';

/** Repeats what was not taken, as an outbox does, so that one text holds for a bus with a log and one without. */
export async function publishReliably(
  bus: EventBus,
  topic: string,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  for (let left = messages; left.length > 0;) {
    try {
      await bus.publish(topic, left);
      return;
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      left = error.failed;
    }
  }
}

/** A subscriber that remembers what it handled. */
export class Recorder {
  readonly slices: Slice[] = [];
  readonly handled: IncomingMessage[] = [];
  private readonly changed = new Signal();

  readonly handle = async (slice: Slice): Promise<void> => {
    this.slices.push(slice);
    this.handled.push(...slice.messages);
    this.changed.raise();
  };

  texts(key?: string): string[] {
    return this.handled
      .filter((message) => key === undefined || message.key === key)
      .map((message) => message.value.toString());
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.changed.next();
  }
}

export function message(key: string, text: string, headers?: Record<string, string>): OutgoingMessage {
  return { key, value: Buffer.from(text), headers };
}

/** What every bus promises. `create` gives a bus of a fresh installation; topic names differ from test to test. */
export function eventBusConformance(name: string, create: () => Promise<EventBus>): void {
  describe(`${name} keeps the promises of an event bus`, () => {
    let bus: EventBus;
    let topic: string;
    let tests = 0;

    beforeAll(async () => (bus = await create()));
    afterAll(() => bus?.close());
    beforeEach(() => (topic = `conformance.${(tests += 1)}`));

    const subscribe = (handle: Subscription['handle'], more: Partial<Subscription> = {}) =>
      bus.subscribe({ topics: [topic], group: `readers-of-${topic}`, handle, ...more });

    it('knows which partition a key goes to', async () => {
      const reader = new Recorder();
      await subscribe(reader.handle);
      const keys = Array.from({ length: 40 }, (_, n) => `key-${n}`);
      await publishReliably(
        bus,
        topic,
        keys.map((key) => message(key, key)),
      );
      await reader.until(() => reader.handled.length >= keys.length);
      const partitionOf = await bus.partitioning(topic);
      expect(reader.handled.map(({ partition }) => partition)).toEqual(
        reader.handled.map(({ key }) => partitionOf(key)),
      );
      expect(new Set(keys.map(partitionOf)).size).toBeGreaterThan(1);
      expect(await bus.partitioning(topic)).toBe(partitionOf);
    });

    it('delivers key, value and headers as they were', async () => {
      const reader = new Recorder();
      await subscribe(reader.handle);
      await publishReliably(bus, topic, [
        { key: 'ключ', value: Buffer.from([0, 255, 10]), headers: { tenant: 't-1', trace: 'ü' } },
      ]);
      await reader.until(() => reader.handled.length === 1);
      expect(reader.handled[0]).toMatchObject({
        topic,
        key: 'ключ',
        value: Buffer.from([0, 255, 10]),
        headers: { tenant: 't-1', trace: 'ü' },
      });
    });

    it('keeps the order of one key over messages and publishes', async () => {
      const reader = new Recorder();
      const running = await subscribe(reader.handle);
      const texts = Array.from({ length: 60 }, (_, n) => String(n));
      for (let at = 0; at < 60; at += 20) {
        await publishReliably(
          bus,
          topic,
          texts.slice(at, at + 20).flatMap((text) => [message('a', text), message('b', text)]),
        );
      }
      await running.caughtUp();
      expect(reader.texts('a')).toEqual(texts);
      expect(reader.texts('b')).toEqual(texts);
    });

    it('keeps the order of one key over publishes that are not awaited', async () => {
      const reader = new Recorder();
      const running = await subscribe(reader.handle);
      const texts = Array.from({ length: 50 }, (_, n) => String(n));
      await Promise.all(texts.map((text) => publishReliably(bus, topic, [message('a', text)])));
      await running.caughtUp();
      expect(reader.texts()).toEqual(texts);
    });

    it('shows every message to every group', async () => {
      const [one, other] = [new Recorder(), new Recorder()];
      await subscribe(one.handle, { group: `one-of-${topic}` });
      await subscribe(other.handle, { group: `other-of-${topic}` });
      await publishReliably(bus, topic, [message('a', '1'), message('b', '2')]);
      await Promise.all([one, other].map((reader) => reader.until(() => reader.handled.length === 2)));
      expect([one.texts().sort(), other.texts().sort()]).toEqual([
        ['1', '2'],
        ['1', '2'],
      ]);
    });

    it('gives slices of one partition, no longer than asked', async () => {
      const reader = new Recorder();
      const running = await subscribe(reader.handle, { maxSlice: 7 });
      await publishReliably(
        bus,
        topic,
        Array.from({ length: 40 }, (_, n) => message(`k${n % 5}`, String(n))),
      );
      await running.caughtUp();
      expect(reader.handled).toHaveLength(40);
      for (const slice of reader.slices) {
        expect(slice.messages.length).toBeLessThanOrEqual(7);
        expect(new Set(slice.messages.map((one) => one.partition))).toEqual(new Set([slice.partition]));
      }
      for (const key of ['k0', 'k1', 'k2', 'k3', 'k4']) {
        expect(
          new Set(reader.handled.filter((one) => one.key === key).map((one) => one.partition)).size,
        ).toBe(1);
      }
    });

    it('never handles two slices of one partition at once', async () => {
      const open = new Set<number>();
      let overlaps = 0;
      const running = await subscribe(
        async ({ partition }) => {
          if (open.has(partition)) overlaps += 1;
          open.add(partition);
          await new Promise((resolve) => setImmediate(resolve));
          open.delete(partition);
        },
        { maxSlice: 2 },
      );
      await Promise.all(
        Array.from({ length: 30 }, (_, n) => publishReliably(bus, topic, [message(`k${n % 3}`, String(n))])),
      );
      await running.caughtUp();
      expect(overlaps).toBe(0);
    });

    it('brings what failed again, in order, until it is handled', async () => {
      const reader = new Recorder();
      let refusals = 0;
      const running = await subscribe(
        async (slice) => {
          if (slice.messages.some((one) => one.value.toString() === '3') && (refusals += 1) <= 3)
            throw new Error('not yet');
          await reader.handle(slice);
        },
        { maxSlice: 2 },
      );
      await publishReliably(
        bus,
        topic,
        ['1', '2', '3', '4', '5', '6'].map((text) => message('a', text)),
      );
      await running.caughtUp();
      expect(refusals).toBe(4);
      expect([...new Set(reader.texts())]).toEqual(['1', '2', '3', '4', '5', '6']);
    });

    it('lets no failing message hold up other partitions', async () => {
      const reader = new Recorder();
      let poisoned = true;
      const running = await subscribe(async (slice) => {
        if (poisoned && slice.messages.some((one) => one.key === 'poison')) throw new Error('poisoned');
        await reader.handle(slice);
      });
      const poison = publishReliably(bus, topic, [message('poison', 'x')]);
      const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
      await Promise.race([poison, Promise.resolve()]);
      const rest = publishReliably(
        bus,
        topic,
        keys.map((key) => message(key, key)),
      );
      // Those of the poisoned partition wait; at least all other partitions come through.
      await reader.until(() => new Set(reader.handled.map((one) => one.partition)).size >= 5);
      poisoned = false;
      await Promise.all([poison, rest]);
      await running.caughtUp();
      expect(new Set(reader.texts())).toEqual(new Set(['x', ...keys]));
    });

    it('is caught up only when what was published before is handled', async () => {
      const reader = new Recorder();
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const running = await subscribe(async (slice) => {
        await gate;
        await reader.handle(slice);
      });
      const publishing = publishReliably(bus, topic, [message('a', '1')]);
      await Promise.race([publishing, new Promise((resolve) => setImmediate(resolve))]);
      const order: string[] = [];
      const caughtUp = Promise.resolve(publishing)
        .then(() => running.caughtUp())
        .then(() => order.push('caught up'));
      order.push('released');
      release();
      await caughtUp;
      expect(order).toEqual(['released', 'caught up']);
      expect(reader.texts()).toEqual(['1']);
    });

    it('is caught up at once when there is nothing', async () => {
      const running = await subscribe(new Recorder().handle);
      await bus.publish(topic, []);
      await running.caughtUp();
    });

    it('lets a handler publish to other topics and to its own', async () => {
      const reader = new Recorder();
      await bus.subscribe({ topics: [`${topic}.next`], group: `next-of-${topic}`, handle: reader.handle });
      await subscribe(async (slice) => {
        for (const { value } of slice.messages) {
          const left = Number(value.toString());
          if (left > 0) await publishReliably(bus, topic, [message('a', String(left - 1))]);
          await publishReliably(bus, `${topic}.next`, [message('a', String(left))]);
        }
      });
      await publishReliably(bus, topic, [message('a', '3')]);
      await reader.until(() => reader.texts().includes('0'));
      expect([...new Set(reader.texts())]).toEqual(['3', '2', '1', '0']);
    });

    it('lets two handlers publish to each other', async () => {
      const reader = new Recorder();
      const bounce =
        (to: string): Subscription['handle'] =>
        async (slice) => {
          for (const { key, value } of slice.messages) {
            const left = Number(value.toString());
            if (left > 0) await publishReliably(bus, to, [message(key, String(left - 1))]);
          }
          await reader.handle(slice);
        };
      await subscribe(bounce(`${topic}.back`));
      await bus.subscribe({ topics: [`${topic}.back`], group: `back-of-${topic}`, handle: bounce(topic) });
      await Promise.all(['a', 'b', 'c'].map((key) => publishReliably(bus, topic, [message(key, '6')])));
      await reader.until(() => ['a', 'b', 'c'].every((key) => reader.texts(key).includes('0')));
    });

    it('carries more than one request can hold', async () => {
      const reader = new Recorder();
      const running = await subscribe(reader.handle);
      const body = 'x'.repeat(2_000);
      await publishReliably(
        bus,
        topic,
        Array.from({ length: 1_500 }, (_, n) => message('a', `${n} ${body}`)),
      );
      await running.caughtUp();
      expect(reader.texts().map((text) => Number(text.split(' ')[0]))).toEqual(
        Array.from({ length: 1_500 }, (_, n) => n),
      );
    });

    it('stops after the slice in hand, and hands out none after that', async () => {
      const reader = new Recorder();
      const begun = new Signal();
      const first = begun.next();
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const running = await subscribe(async (slice) => {
        begun.raise();
        await gate;
        await reader.handle(slice);
      });
      const publishing = bus.publish(topic, [message('a', '1')]).catch(() => undefined);
      await first;
      const stopped = running.stop().then(() => reader.texts());
      release();
      expect(await stopped).toEqual(['1']);
      await publishing;
      await bus.publish(topic, [message('a', '2')]);
      expect(reader.texts()).toEqual(['1']);
    });
  });
}
