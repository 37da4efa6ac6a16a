import { startPostgres, startRedis, waitUntil } from '@tallygate/infra-local';
import type { PostgresServer, RedisServer } from '@tallygate/infra-local';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { createTestDatabase } from '../testing';
import type { TestDatabase } from '../testing';
import { BullJobQueue } from './bull-job-queue';
import { job, jobQueueConformance, Worker } from './job-queue.conformance';
import { provisionQueue } from './provision-queue';

const TENANT = '00000000-0000-7000-8000-000000000001';

let redis: RedisServer;
let postgres: PostgresServer;
let target: TestDatabase;

beforeAll(async () => {
  [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  target = await createTestDatabase(postgres, [], {
    name: 'bullmq',
    run: (ownerUrl, roleSecret) => provisionQueue({ ownerUrl, roleSecret }),
  });
});

afterAll(async () => {
  await Promise.all([redis?.stop(), postgres?.stop()]);
});

jobQueueConformance(
  'BullMQ on Redis',
  async (installation) => new BullJobQueue({ installation, backend: { kind: 'redis', url: redis.url } }),
);

jobQueueConformance(
  'BullMQ on PostgreSQL',
  async (installation) =>
    new BullJobQueue({
      installation,
      backend: { kind: 'postgres', databaseUrl: target.url, roleSecret: target.roleSecret },
    }),
);

describe('BullMQ on Redis, when Redis', () => {
  it('loses everything: waits for nothing that is gone and takes the same ids again', async () => {
    const queue = new BullJobQueue({ installation: 'flush', backend: { kind: 'redis', url: redis.url } });
    await queue.add('work', [job('1'), job('2')]);
    const admin = new Redis(redis.url);
    await admin.flushall();
    await queue.idle(TENANT);
    const worker = new Worker();
    await queue.work({ queue: 'work', concurrency: 1, handle: worker.handle });
    await admin.flushall();
    admin.disconnect();
    await queue.add('work', [job('1'), job('2')]);
    await queue.idle(TENANT);
    expect(worker.ids().sort()).toEqual(['1', '2']);
    await queue.close();
  });

  it('is down: adding fails at once, nobody waits, and work goes on by itself when it is back', async () => {
    let server = await startRedis();
    const { port } = server;
    const queue = new BullJobQueue({ installation: 'down', backend: { kind: 'redis', url: server.url } });
    const worker = new Worker();
    await queue.work({ queue: 'work', concurrency: 1, handle: worker.handle });
    await queue.add('work', [job('before')]);
    await queue.idle(TENANT);
    await server.stop();
    const begin = performance.now();
    await expect(queue.add('work', [job('during')])).rejects.toThrow();
    expect(performance.now() - begin).toBeLessThan(2_500);
    await expect(queue.add('first-used-now', [job('1')])).rejects.toThrow();
    await queue.idle(TENANT);
    await expect(queue.ping()).rejects.toThrow();
    server = await startRedis({ port });
    // The row's sweep would queue it again every second; here as often as it is refused.
    expect(await waitUntil(() => queue.add('work', [job('after')]).then(() => true), 30_000)).toBe(true);
    await worker.until(() => worker.ids().includes('after'));
    await queue.add('first-used-now', [job('2')]);
    await queue.close();
    await server.stop();
  });

  it('was never there: adding and starting a worker fail, closing does not hang', async () => {
    const queue = new BullJobQueue({
      installation: 'never',
      patienceMs: 300,
      backend: { kind: 'redis', url: 'redis://127.0.0.1:1' },
    });
    await expect(queue.add('work', [job('1')])).rejects.toThrow();
    await expect(
      queue.work({ queue: 'work', concurrency: 1, handle: async () => undefined }),
    ).rejects.toThrow();
    await queue.idle(TENANT);
    await queue.close();
  });
});

describe('BullMQ on PostgreSQL, when PostgreSQL', () => {
  let owner: Client;
  let queue: BullJobQueue;

  beforeEach(async () => {
    owner = new Client({ connectionString: target.url });
    await owner.connect();
    queue = new BullJobQueue({
      installation: 'cut',
      backend: { kind: 'postgres', databaseUrl: target.url, roleSecret: target.roleSecret },
    });
  });

  afterEach(async () => {
    await owner.query('alter role tallygate_queue login');
    await Promise.all([queue.close(), owner.end()]);
  });

  async function endConnections(): Promise<void> {
    await owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tallygate_queue'`,
    );
  }

  it('ends every connection: work goes on by itself', async () => {
    const worker = new Worker();
    await queue.work({ queue: 'work', concurrency: 1, handle: worker.handle });
    await endConnections();
    const accepts = () => queue.add('work', [job('after')]).then(() => true);
    expect(await waitUntil(accepts, 30_000)).toBe(true);
    await worker.until(() => worker.ids().includes('after'));
  });

  it('cannot be reached when a queue is first used, or its worker started: both can be when it is back', async () => {
    await owner.query('alter role tallygate_queue nologin');
    const worker = new Worker();
    const work = () => queue.work({ queue: 'first-used-now', concurrency: 1, handle: worker.handle });
    await expect(queue.add('first-used-now', [job('1')])).rejects.toThrow('not permitted to log in');
    await expect(work()).rejects.toThrow('not permitted to log in');
    await owner.query('alter role tallygate_queue login');
    await work();
    await queue.add('first-used-now', [job('2')]);
    await worker.until(() => worker.ids().includes('2'));
  });
});
