import { createPostgresBackend, Queue, withBackend, Worker } from 'bullmq';
import type { BulkJobOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { within } from '../flow/timeout';
import type { Log } from '../telemetry/log';
import { silentLog } from '../telemetry/log';
import { JobsInFlight } from './jobs-in-flight';
import { JobQueue } from './job-queue';
import type { Job, JobHandler } from './job-queue';
import { queueRoleUrl } from './provision-queue';

export type QueueBackend =
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'postgres'; readonly databaseUrl: string; readonly roleSecret: string };

export interface BullJobQueueOptions {
  readonly backend: QueueBackend;
  /** Keeps installations apart on one server; part of every queue name. */
  readonly installation?: string;
  readonly log?: Log;
  /** How long a call may take before it counts as "the backend is down". */
  readonly patienceMs?: number;
}

interface JobData {
  readonly id: string;
  readonly tenantId: string;
  readonly payload: unknown;
}

/** What is used of BullMQ's queue and worker, whichever backend is behind them. */
interface BullQueue {
  waitUntilReady(): Promise<unknown>;
  addBulk(jobs: { name: string; data: JobData; opts: BulkJobOptions }[]): Promise<unknown>;
  getJob(id: string): Promise<unknown>;
  close(): Promise<void>;
  on(event: 'error', listener: OnError): unknown;
}

interface BullWorker {
  waitUntilReady(): Promise<unknown>;
  close(force?: boolean): Promise<void>;
  on(event: 'error', listener: OnError): unknown;
  on(event: 'ready', listener: () => void): unknown;
  on(event: 'completed', listener: (job: BullJob) => void): unknown;
  on(event: 'failed', listener: (job: BullJob | undefined) => void): unknown;
}

type OnError = (error: Error) => void;

const PATIENCE_MS = 2_000;
const CLOSING_MS = 10_000;
const POSTGRES_CONNECTIONS = 40;

/** BullMQ behind the port: what the rows say is due, executed. It retries nothing and remembers nothing done. */
export class BullJobQueue extends JobQueue {
  private readonly log: Log;
  private readonly patienceMs: number;
  private readonly connections: Connections;
  private readonly queues = new Map<string, Promise<BullQueue>>();
  private readonly workers = new Map<string, BullWorker>();
  private readonly inFlight: JobsInFlight;
  private failing = false;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: BullJobQueueOptions) {
    super();
    this.log = options.log ?? silentLog;
    this.patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.connections = connectionsOf(options.backend, this.patienceMs, (error) => this.onError(error));
    this.inFlight = new JobsInFlight((queue, id) => this.isThere(queue, id));
  }

  override async add<P>(queue: string, jobs: readonly Job<P>[]): Promise<void> {
    if (jobs.length === 0) return;
    if (this.closing !== undefined) throw new Error('The job queue is closed');
    const queueing = this.inFlight.queueing(queue, jobs);
    try {
      await within(this.patienceMs, `queueing on ${queue}`, this.addAll(queue, jobs));
      this.onReady();
      this.inFlight.queued(queueing);
    } catch (error) {
      this.inFlight.doubtful(queueing);
      throw error;
    }
  }

  override async work<P>(handler: JobHandler<P>): Promise<void> {
    if (this.workers.has(handler.queue)) throw new Error(`Queue ${handler.queue} has a handler already`);
    const worker = this.connections.worker(
      this.name(handler.queue),
      (job) => this.run(handler, job),
      handler.concurrency,
    );
    this.workers.set(handler.queue, worker);
    worker.on('error', (error) => this.onError(error));
    worker.on('ready', () => this.onReady());
    // Only now is the job gone from the backend, and its id free: whoever waited for it may queue it again.
    worker.on('completed', (job) => this.inFlight.finished(handler.queue, job.data));
    worker.on('failed', (job) => job && this.inFlight.finished(handler.queue, job.data));
    try {
      await within(this.patienceMs * 5, `starting the worker of ${handler.queue}`, worker.waitUntilReady());
    } catch (error) {
      this.workers.delete(handler.queue);
      await quietly(within(this.patienceMs, 'closing a worker', worker.close(true)));
      throw error;
    }
  }

  override async idle(tenantId: string): Promise<void> {
    await this.inFlight.idle(tenantId);
  }

  /** Answers when the backend does. */
  async ping(): Promise<void> {
    await within(this.patienceMs, 'the job queue', this.connections.ping());
  }

  override close(): Promise<void> {
    return (this.closing ??= this.closeAll());
  }

  private async closeAll(): Promise<void> {
    this.inFlight.close();
    // A job in hand may end; without a backend there is nothing that a worker could still report.
    const patienceMs = this.connections.isUp() ? CLOSING_MS : this.patienceMs;
    await Promise.all(
      [...this.workers.values()].map((worker) =>
        quietly(within(patienceMs, 'closing a worker', worker.close())),
      ),
    );
    await Promise.all(
      [...this.queues.values()].map((queue) =>
        quietly(
          within(
            this.patienceMs,
            'closing a queue',
            queue.then((open) => open.close()),
          ),
        ),
      ),
    );
    await quietly(within(this.patienceMs, 'closing the backend', this.connections.close()));
  }

  private async addAll<P>(queue: string, jobs: readonly Job<P>[]): Promise<void> {
    await this.connections.ready();
    const open = await this.queue(queue);
    await open.addBulk(
      jobs.map(({ id, tenantId, payload }) => ({
        name: 'job',
        data: { id, tenantId, payload },
        // Done or failed, a job leaves nothing behind: the row decides whether its id comes again.
        opts: { jobId: bullId(id), attempts: 1, removeOnComplete: true, removeOnFail: true },
      })),
    );
  }

  private async run<P>(handler: JobHandler<P>, job: BullJob): Promise<void> {
    const { id, tenantId, payload } = job.data;
    this.inFlight.started(handler.queue, { id, tenantId });
    try {
      await handler.handle({ id, tenantId, payload: payload as P });
    } catch (error) {
      this.log.error(
        { err: error, queue: handler.queue, job: id, tenant: tenantId },
        'a job failed; its row decides what follows',
      );
      throw error;
    } finally {
      this.inFlight.ended(handler.queue, { id, tenantId });
    }
  }

  private async isThere(queue: string, id: string): Promise<boolean> {
    const found = await within(
      this.patienceMs,
      `asking ${queue} for a job`,
      this.queue(queue).then((open) => open.getJob(bullId(id))),
    );
    return found !== undefined && found !== null;
  }

  private queue(name: string): Promise<BullQueue> {
    const known = this.queues.get(name);
    if (known !== undefined) return known;
    const opening = this.open(name);
    this.queues.set(name, opening);
    opening.catch(() => this.queues.delete(name));
    return opening;
  }

  /** A queue that BullMQ could not make ready fails for ever: it is thrown away, and the next use opens another. */
  private async open(name: string): Promise<BullQueue> {
    await this.connections.ping();
    const queue = this.connections.queue(this.name(name));
    queue.on('error', (error) => this.onError(error));
    try {
      await queue.waitUntilReady();
    } catch (error) {
      await quietly(queue.close());
      throw error;
    }
    return queue;
  }

  private name(queue: string): string {
    return `${this.options.installation ?? 'tallygate'}-${queue}`;
  }

  /** BullMQ reports each failed reconnect of each connection; an outage is one line. */
  private onError(error: Error): void {
    if (this.failing || this.closing !== undefined) return;
    this.failing = true;
    this.log.warn({ err: error }, 'the job queue cannot be reached; work goes on when it is back');
  }

  private onReady(): void {
    if (this.failing) this.log.info('the job queue is back');
    this.failing = false;
  }
}

/** BullMQ refuses ids that hold a colon or are whole numbers. */
function bullId(id: string): string {
  return `j-${encodeURIComponent(id)}`;
}

async function quietly(work: Promise<unknown>): Promise<void> {
  await work.catch(() => undefined);
}

interface BullJob {
  readonly data: JobData;
}

/** What the two backends differ in. */
interface Connections {
  queue(name: string): BullQueue;
  worker(name: string, run: (job: BullJob) => Promise<void>, concurrency: number): BullWorker;
  /** Rejects when the backend is known to be down. */
  ready(): Promise<void>;
  isUp(): boolean;
  ping(): Promise<void>;
  close(): Promise<void>;
}

const WORKER = {
  autorun: true,
  lockDuration: 30_000,
  stalledInterval: 15_000,
  maxStalledCount: 10,
  drainDelay: 1,
};

function connectionsOf(backend: QueueBackend, patienceMs: number, onError: OnError): Connections {
  return backend.kind === 'redis'
    ? redisConnections(backend.url, patienceMs, onError)
    : postgresConnections(backend, onError);
}

function redisConnections(url: string, patienceMs: number, onError: OnError): Connections {
  const retryStrategy = (times: number) => Math.min(1_000, 50 * 2 ** Math.min(times, 10));
  // Without an offline queue a command on a lost connection fails at once: the row is swept again, nothing hangs.
  const producer = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: patienceMs,
    retryStrategy,
  });
  producer.on('error', onError);
  // A worker's connection must wait for ever instead, and its blocking command has no time limit.
  const consumer = new Redis(url, { maxRetriesPerRequest: null, retryStrategy });
  consumer.on('error', onError);
  return {
    queue: (name) =>
      new Queue<JobData>(name, { connection: producer, skipWaitingForReady: true }) as BullQueue,
    worker: (name, run, concurrency) =>
      new Worker<JobData>(name, run, { ...WORKER, connection: consumer, concurrency }),
    ready: () => connected(producer),
    isUp: () => consumer.status === 'ready',
    ping: async () => {
      await connected(producer);
      if (producer.status !== 'ready') throw new Error('Redis cannot be reached');
      await producer.ping();
    },
    close: async () => {
      producer.disconnect();
      consumer.disconnect();
    },
  };
}

/** Waits for the first connection only: later, not connected means down. */
async function connected(redis: Redis): Promise<void> {
  if (redis.status !== 'connecting' && redis.status !== 'connect') return;
  await new Promise<void>((resolve, reject) => {
    redis.once('ready', resolve);
    redis.once('close', () => reject(new Error('Redis cannot be reached')));
  });
}

const onPostgres = withBackend(createPostgresBackend);

function postgresConnections(
  backend: Extract<QueueBackend, { kind: 'postgres' }>,
  onError: OnError,
): Connections {
  const pool = new Pool({
    connectionString: queueRoleUrl(backend.databaseUrl, backend.roleSecret),
    // Each worker keeps one connection for LISTEN.
    max: POSTGRES_CONNECTIONS,
    keepAlive: true,
    connectionTimeoutMillis: 2_000,
    application_name: 'tallygate queue',
    options: '-c search_path=bullmq',
  });
  pool.on('error', onError);
  // Each queue and each worker listens for its errors.
  pool.setMaxListeners(0);
  return {
    queue: (name) => new onPostgres.Queue<JobData>(name, { connection: pool }) as BullQueue,
    worker: (name, run, concurrency) =>
      new onPostgres.Worker<JobData>(name, run, { ...WORKER, connection: pool, concurrency }),
    ready: async () => undefined,
    isUp: () => true,
    ping: async () => void (await pool.query('select 1')),
    close: () => pool.end(),
  };
}
