import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { message, Recorder } from '../bus/event-bus.conformance';
import { EventBus } from '../bus/event-bus';
import type { OutgoingMessage, RunningSubscription } from '../bus/event-bus';
import { InProcessEventBus } from '../bus/in-process-event-bus';
import { Signal } from '../flow/signal';
import { PgDatabase } from '../postgres/pg-database';
import { createTestDatabase } from '../testing';
import type { TestDatabase } from '../testing';
import { PgOutbox } from './pg-outbox';

const ONE = '00000000-0000-7000-8000-000000000001';
const TWO = '00000000-0000-7000-8000-000000000002';

/** A bus that a test can break: before the messages are taken, or after. */
class FragileBus extends EventBus {
  readonly inner = new InProcessEventBus();
  readonly published = new Signal();
  readonly publishes: string[][] = [];
  fault: 'none' | 'before' | 'after' = 'none';

  override async publish(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    this.publishes.push(messages.map((one) => one.value.toString()));
    if (this.fault === 'before') throw new Error('the bus is away');
    await this.inner.publish(topic, messages);
    this.published.raise();
    if (this.fault === 'after') throw new Error('the acknowledgement was lost');
  }

  override partitioning(): Promise<(key: string) => number> {
    return this.inner.partitioning();
  }

  override subscribe(subscription: Parameters<EventBus['subscribe']>[0]): Promise<RunningSubscription> {
    return this.inner.subscribe(subscription);
  }

  override close(): Promise<void> {
    return this.inner.close();
  }
}

let server: PostgresServer;
let target: TestDatabase;
let database: PgDatabase;
let bus: FragileBus;
let reader: Recorder;
const started: PgOutbox[] = [];

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  target = await createTestDatabase(server, [{ schema: 'ledger', migrations: [] }]);
  database = new PgDatabase({ url: target.url, schema: 'ledger', roleSecret: target.roleSecret });
  bus = new FragileBus();
  reader = new Recorder();
  await bus.subscribe({ topics: ['facts'], group: 'reader', handle: reader.handle });
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((outbox) => outbox.stop()));
  await database.close();
  await target.drop();
});

function newOutbox(start = true): PgOutbox {
  const outbox = new PgOutbox({ database, bus });
  started.push(outbox);
  if (start) outbox.start();
  return outbox;
}

function facts(tenantId: string, texts: readonly string[], key = 'customer', topic = 'facts') {
  return texts.map((text) => ({ ...message(key, text, { kind: 'test' }), tenantId, topic }));
}

const add = (outbox: PgOutbox, tenantId: string, texts: readonly string[], key?: string) =>
  database.asTenant(tenantId, (tx) => outbox.add(tx, facts(tenantId, texts, key)));

const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n));

describe('the outbox', () => {
  it('publishes what committed, in order, with the tenant as a header, and keeps nothing', async () => {
    const outbox = newOutbox();
    await add(outbox, ONE, numbers(2_500));
    await outbox.drained(ONE);
    expect(reader.texts()).toEqual(numbers(2_500));
    expect(reader.handled[0]?.headers).toEqual({ kind: 'test', tenant: ONE });
    expect(await outbox.backlog()).toMatchObject({ depth: 0 });
  });

  it('publishes nothing of a transaction that rolled back', async () => {
    const outbox = newOutbox();
    const failing = database.asTenant(ONE, async (tx) => {
      await outbox.add(tx, facts(ONE, ['never']));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await add(outbox, ONE, ['after']);
    await outbox.drained(ONE);
    expect(reader.texts()).toEqual(['after']);
  });

  it('hears of each commit that left something in it, and of no other', async () => {
    const outbox = newOutbox(false);
    const heard = (count: number) =>
      database.asTenant(ONE, async (tx) => {
        const acts = new Set<() => void>();
        const watched = { ...tx, query: tx.query.bind(tx), afterCommit: (act: () => void) => acts.add(act) };
        await outbox.add(watched, facts(ONE, numbers(count)));
        await outbox.add(watched, facts(ONE, numbers(count)));
        return acts.size;
      });
    expect(await heard(0)).toBe(0);
    expect(await heard(2)).toBe(1);
  });

  it('refuses a fact of another tenant', async () => {
    const outbox = newOutbox();
    await expect(database.asTenant(ONE, (tx) => outbox.add(tx, facts(TWO, ['x'])))).rejects.toMatchObject({
      code: '42501',
      statement: 'outbox-add',
    });
  });

  it('keeps facts while the bus is away and publishes them in order when it is back', async () => {
    const outbox = newOutbox();
    bus.fault = 'before';
    await add(outbox, ONE, ['1', '2']);
    while (bus.publishes.length < 2) await outbox.roundEnded();
    await add(outbox, ONE, ['3']);
    bus.fault = 'none';
    await outbox.drained(ONE);
    expect(reader.texts()).toEqual(['1', '2', '3']);
  });

  it('repeats what was published when it was not deleted, losing and reordering nothing', async () => {
    const outbox = newOutbox();
    bus.fault = 'after';
    const published = bus.published.next();
    await add(outbox, ONE, ['1', '2']);
    await published;
    bus.fault = 'none';
    await outbox.drained(ONE);
    expect(reader.texts().slice(-2)).toEqual(['1', '2']);
    expect(reader.texts().length).toBeGreaterThanOrEqual(4);
  });

  it('goes on in another process when the one that published dies before it deleted', async () => {
    const first = newOutbox();
    await add(first, ONE, ['1']);
    await first.drained(ONE);
    // The handler runs inside the publish: the relay's connection dies between publish and delete.
    const second = newOutbox();
    let kill = true;
    await bus.subscribe({
      topics: ['facts'],
      group: 'killer',
      handle: async () => {
        if (!kill) return;
        kill = false;
        await database.asWorker((tx) =>
          tx.query(
            `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()`,
          ),
        );
      },
    });
    await add(first, ONE, ['2', '3']);
    await second.drained(ONE);
    expect(reader.texts()).toEqual(['1', '2', '3', '2', '3']);
  });

  it('has one relay at work however many processes run, and it hears of what each of them committed', async () => {
    const [first, second, third] = [newOutbox(), newOutbox(), newOutbox()];
    for (let round = 0; round < 10; round += 1) {
      await add(third, ONE, [String(round)]);
      await Promise.all([first, second, third].map((outbox) => outbox.drained(ONE)));
    }
    expect(reader.texts()).toEqual(numbers(10));
  });

  it('lets a refused key wait without holding up the others', async () => {
    const outbox = newOutbox();
    let poisoned = true;
    await bus.subscribe({
      topics: ['facts'],
      group: 'choosy',
      handle: async ({ messages }) => {
        if (poisoned && messages.some((one) => one.key === 'poison')) throw new Error('poisoned');
      },
    });
    await add(outbox, ONE, ['bad'], 'poison');
    await add(outbox, TWO, ['good']);
    await outbox.drained(TWO);
    expect(reader.texts()).toContain('good');
    poisoned = false;
    await outbox.drained(ONE);
  });

  it('is drained for a tenant that has nothing, whatever others have', async () => {
    const outbox = newOutbox(false);
    await add(outbox, ONE, ['1']);
    await outbox.drained(TWO);
    expect(await outbox.backlog()).toMatchObject({ depth: 1 });
  });
});
