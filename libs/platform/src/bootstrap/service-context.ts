import { randomBytes } from 'node:crypto';
import { SequentialIds, SystemClock, toMillis } from '@tallygate/kernel';
import type { Clock, Ids } from '@tallygate/kernel';
import type { Client } from 'pg';
import type { Registry } from 'prom-client';
import type { EventBus, RunningSubscription, Subscription } from '../bus/event-bus';
import type { ReadinessCheck } from '../health/readiness';
import { whereOf } from '../health/readiness';
import { forgetOldKeys } from '../http/idempotency';
import { PgOutbox } from '../outbox/pg-outbox';
import type { MigrationClass } from '../postgres/migration';
import { PgDatabase } from '../postgres/pg-database';
import { provisionSchema, withOwner } from '../postgres/provision';
import type { JobQueue } from '../queue/job-queue';
import type { Log } from '../telemetry/log';
import { silentLog } from '../telemetry/log';
import { counter, createMetrics, gauge } from '../telemetry/metrics';
import { CountedJobQueue } from '../time/counted-job-queue';
import { LocalClockParticipant } from '../time/local-clock-participant';
import { PgTenantTime } from '../time/pg-tenant-time';
import { subscribeCounted } from '../time/subscribe-counted';
import { SerialSweeper } from '../time/serial-sweeper';
import { SweepRunner } from '../time/sweep-runner';
import type { Settleable, Sweeper } from '../time/tenant-time';

export interface ServiceContextOptions {
  /** The service's name; also its schema, unless one is given. */
  readonly name: string;
  readonly schema?: string;
  readonly database: {
    /** The owner's URL: used to provision, and, with the roles' own logins, to work. */
    readonly url: string;
    readonly roleSecret: string;
    /** False when another step has provisioned the schema. */
    readonly provision?: boolean;
    readonly apiConnections?: number;
    readonly workerConnections?: number;
  };
  readonly migrations: readonly MigrationClass[];
  readonly withoutTenant?: readonly string[];
  readonly appendOnly?: readonly string[];
  /** Shared by the services of a process; the bus is closed by whoever created it, the queue by `createService` too. */
  readonly bus: EventBus;
  readonly queue: JobQueue;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly log?: Log;
  readonly metrics?: Registry;
}

/** What the platform gives one service: plain objects, no globals, so that one process can hold several services. */
export class ServiceContext {
  readonly checks: ReadinessCheck[];
  private readonly subscriptions: RunningSubscription[] = [];

  constructor(
    readonly name: string,
    readonly database: PgDatabase,
    readonly bus: EventBus,
    readonly queue: JobQueue,
    readonly outbox: PgOutbox,
    readonly tenantTime: PgTenantTime,
    readonly participant: LocalClockParticipant,
    readonly sweepRunner: SweepRunner,
    readonly clock: Clock,
    readonly ids: Ids,
    readonly log: Log,
    readonly metrics: Registry,
    checks: readonly ReadinessCheck[],
    /** The process's queue behind `queue`. */
    readonly sharedQueue: JobQueue,
    private readonly ownerUrl: string,
  ) {
    this.checks = [...checks];
  }

  /** Asked by /readyz beside the platform's own; before the service is created. */
  addCheck(check: ReadinessCheck): void {
    this.checks.push(check);
  }

  /** A connection of the schema's owner, for maintenance that changes tables; it ends with `work`. */
  asOwner<T>(work: (owner: Client) => Promise<T>): Promise<T> {
    return withOwner(this.ownerUrl, work);
  }

  /** Subscribes, counted for the tenants' clocks; ended by `stop`. */
  async subscribe(subscription: Subscription): Promise<RunningSubscription> {
    const running = await subscribeCounted(this.bus, this.participant, subscription);
    this.subscriptions.push(running);
    return running;
  }

  /** Runs it every second for all tenants, and for one while its virtual clock moves. */
  addSweeper(sweeper: Sweeper): void {
    const serial = new SerialSweeper(sweeper, () => this.participant.touchedSomebody());
    this.participant.addSweeper(serial);
    this.sweepRunner.add(serial);
  }

  addSettleable(settleable: Settleable): void {
    this.participant.addSettleable(settleable);
  }

  /** Starts what runs by itself: the outbox relay and the sweeps. */
  async start(): Promise<void> {
    this.outbox.start();
    this.sweepRunner.start();
  }

  /** Takes no new work: sweeps and subscriptions end after what they have in hand. */
  async quiesce(): Promise<void> {
    await this.sweepRunner.stop();
    await Promise.all(this.subscriptions.splice(0).map((subscription) => subscription.stop()));
  }

  /** Ends what is in progress, then lets go of the database. */
  async stop(): Promise<void> {
    await this.quiesce();
    await this.outbox.stop();
    await this.database.close();
  }
}

export async function createServiceContext(options: ServiceContextOptions): Promise<ServiceContext> {
  const { name, schema = name, migrations, withoutTenant, appendOnly } = options;
  const { url, roleSecret, provision = true, apiConnections, workerConnections } = options.database;
  const log = (options.log ?? silentLog).child({ service: name });
  if (provision)
    await provisionSchema({ ownerUrl: url, roleSecret, schema, migrations, withoutTenant, appendOnly });
  const database = new PgDatabase({ url, schema, roleSecret, apiConnections, workerConnections, log });
  return assemble(options, database, log);
}

function assemble(options: ServiceContextOptions, database: PgDatabase, log: Log): ServiceContext {
  const { name, bus } = options;
  const clock = options.clock ?? new SystemClock();
  const ids =
    options.ids ??
    new SequentialIds(
      () => toMillis(clock.now()),
      (bytes) => randomBytes(bytes),
    );
  const metrics = options.metrics ?? createMetrics();
  const tenantTime = new PgTenantTime(database, clock);
  const outbox = new PgOutbox({ database, bus, log });
  const participant = new LocalClockParticipant({ name, tenantTime, clock, queue: options.queue, outbox });
  const queue = new CountedJobQueue(options.queue, participant);
  const sweepRunner = new SweepRunner(clock, log, sweepMetrics(metrics, name));
  sweepRunner.add(keySweeper(database));
  measureOutbox(metrics, name, outbox);
  return new ServiceContext(
    name,
    database,
    bus,
    queue,
    outbox,
    tenantTime,
    participant,
    sweepRunner,
    clock,
    ids,
    log,
    metrics,
    [databaseCheck(database, options.database.url)],
    options.queue,
    options.database.url,
  );
}

/** Not part of a tenant's virtual clock: how long a key is kept is a matter of the machine's time. */
function keySweeper(database: PgDatabase): Sweeper {
  return {
    name: 'idempotency keys',
    sweep: (_scope, systemNow) => database.asWorker((tx) => forgetOldKeys(tx, systemNow)),
    nextDue: async () => null,
  };
}

function databaseCheck(database: PgDatabase, url: string): ReadinessCheck {
  return {
    name: `database (schema ${database.schema})`,
    where: whereOf(url),
    start: 'start PostgreSQL at DATABASE_URL; the schema is created when the service starts',
    check: () => database.ping(),
  };
}

function sweepMetrics(metrics: Registry, service: string) {
  const swept = counter(metrics, 'tallygate_swept_total', 'Things done by sweeps', ['service', 'sweeper']);
  const failed = counter(metrics, 'tallygate_sweep_failures_total', 'Sweeps that failed', [
    'service',
    'sweeper',
  ]);
  return {
    swept: (sweeper: string, count: number) => swept.inc({ service, sweeper }, count),
    failed: (sweeper: string) => failed.inc({ service, sweeper }),
  };
}

function measureOutbox(metrics: Registry, service: string, outbox: PgOutbox): void {
  const depth = gauge(metrics, 'tallygate_outbox_depth', 'Facts that wait to be published', ['service']);
  const age = gauge(metrics, 'tallygate_outbox_age_seconds', 'Age of the oldest fact that waits', [
    'service',
  ]);
  onScrape(metrics, `tallygate_outbox_scrape_${service}`, async () => {
    const backlog = await outbox.backlog();
    depth.set({ service }, backlog.depth);
    age.set({ service }, backlog.ageSeconds);
  });
}

const SCRAPES = new WeakMap<Registry, Map<string, () => Promise<void>>>();

/** Values read when the metrics are asked for. */
function onScrape(metrics: Registry, name: string, read: () => Promise<void>): void {
  const reads = SCRAPES.get(metrics) ?? new Map<string, () => Promise<void>>();
  reads.set(name, read);
  SCRAPES.set(metrics, reads);
}

/** The metrics page; a value that cannot be read now keeps its last one. */
export async function scrape(metrics: Registry): Promise<string> {
  const reads = [...(SCRAPES.get(metrics)?.values() ?? [])];
  await Promise.all(reads.map((read) => read().catch(() => undefined)));
  return metrics.metrics();
}
