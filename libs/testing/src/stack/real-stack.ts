import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type KafkaServer,
  type LocalServer,
  type PostgresServer,
  type RedisServer,
  type SmtpServer,
  freePort,
  startKafka,
  startNodeService,
  startPostgres,
  startRedis,
  startSmtp,
  waitUntil,
} from '@tallygate/infra-local';
import { TOPICS } from '@tallygate/contracts';
import { KafkaEventBus, TENANT_HEADER, silentLog } from '@tallygate/platform';
import {
  type DeliveredMail,
  type GateName,
  type ServiceAction,
  type ServiceName,
  Stack,
} from '../scenario/stack';
import { switchFeed } from './feed-switch';
import { FrontGateways } from './front-gateways';
import { type ProcessName, type StackPlan, environmentOf, planStack } from './plan';
import { INTERNAL_SECRET, ROOT_KEY, STOP_POINT_MODULE, mainOf } from './settings';

const PARTITIONS = 6;
/**
 * Of a broker that lives for minutes: the JVM's optimizing compiler would work all that time for code that is gone soon
 * (at 15,500 events/s on 2 cores the broker took 0.145 of a core without it, 0.207 with it).
 */
const BROKER_JVM = ['-XX:TieredStopAtLevel=1'];
const POINT_MS = 3_000;

/** In the order in which they need each other. */
const START_ORDER: readonly ProcessName[] = [
  'sandbox',
  'billing',
  'ledger',
  'ledger-2',
  'dunning',
  'notifier',
  'entitlement',
  'ingestion',
  'gate',
];

export interface Servers {
  readonly postgres: PostgresServer;
  readonly kafka: KafkaServer;
  readonly redis: RedisServer;
  readonly smtp: SmtpServer;
}

export interface RealStackOptions {
  /** Settings of the PostgreSQL server by name, over the defaults. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** What is not needed and not started. */
  readonly without?: readonly ProcessName[];
  /** Processes of the ledger that share its partitions: 1 or 2. */
  readonly ledgers?: 1 | 2;
  /** The ledgers' statement before which `pauseAtPoint` stops them; without one they cannot be stopped there. */
  readonly stopPoint?: string;
  /** For tests of what is answered: an answer that the OpenAPI document does not foresee becomes a 500. */
  readonly checkAnswers?: boolean;
}

/** Kafka, PostgreSQL, Redis and every service as a process of its own, on free ports. */
export class RealStack extends Stack {
  override readonly name = 'real';
  override readonly rootKey = ROOT_KEY;
  override readonly internalSecret = INTERNAL_SECRET;
  override readonly urls: Readonly<Record<ServiceName | 'sandbox', string>>;
  override readonly agentUrl: string;
  private readonly processes = new Map<ProcessName, LocalServer>();
  private redisUp = true;
  private readonly front: FrontGateways;

  private constructor(
    readonly servers: Servers,
    readonly bus: KafkaEventBus,
    private readonly plan: StackPlan,
    private readonly dir: string,
    private readonly stopPoint: string | null,
  ) {
    super();
    this.urls = plan.urls;
    this.agentUrl = plan.urls.gate;
    this.front = new FrontGateways({ url: plan.urls.gate, grpc: `127.0.0.1:${plan.ports.ext_authz}` });
  }

  static async start(options: RealStackOptions = {}): Promise<RealStack> {
    const dir = await mkdtemp(join(tmpdir(), 'tallygate-real-'));
    const [postgres, kafka, redis, smtp] = await Promise.all([
      startPostgres({ settings: options.postgresSettings }),
      startKafka({ jvmOptions: BROKER_JVM }),
      startRedis(),
      startSmtp(),
    ]);
    const plan = await planStack(
      {
        databaseUrl: postgres.url('postgres'),
        brokers: kafka.brokers,
        redisUrl: redis.url,
        smtpUrl: smtp.url,
        dir,
        checkAnswers: options.checkAnswers ?? false,
      },
      freePort,
    );
    const bus = new KafkaEventBus({ brokers: kafka.brokers, clientId: 'scenario-runner', log: silentLog });
    await bus.ensureTopics(Object.fromEntries(Object.values(TOPICS).map((topic) => [topic, PARTITIONS])));
    const stack = new RealStack({ postgres, kafka, redis, smtp }, bus, plan, dir, options.stopPoint ?? null);
    try {
      for (const name of START_ORDER) {
        if (name === 'ledger-2' && options.ledgers !== 2) continue;
        if (!options.without?.includes(name)) await stack.startProcess(name);
      }
      return stack;
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  /** As the owner of everything in it: for judges that look at the truth itself. */
  get databaseUrl(): string {
    return this.plan.databaseUrl;
  }

  get brokers(): readonly string[] {
    return this.plan.brokers;
  }

  /** What runs now, by name, with its process id; servers included. */
  pids(): ReadonlyMap<string, number> {
    const servers = [this.servers.postgres, this.servers.kafka, this.servers.redis];
    return new Map([...servers, ...this.processes.values()].map(({ name, pid }) => [name, pid]));
  }

  /** Starts one process again on its port, after it was stopped or killed. */
  async startProcess(name: ProcessName): Promise<void> {
    const process = await startNodeService({
      name,
      script: mainOf(name === 'ledger-2' ? 'ledger' : name),
      env: this.environmentOf(name),
      readyUrl: `${this.plan.urls[name]}/readyz`,
      logFile: join(this.dir, `${name}.log`),
    });
    this.processes.set(name, process);
  }

  /** SIGSTOP: it neither works nor answers nor ends, and notices nothing of the time until it goes on. */
  pauseProcess(name: ProcessName): void {
    this.signal(name, 'SIGSTOP');
  }

  /**
   * The same right before a ledger's next statement of that name; at once when that takes longer than a few seconds.
   * @returns whether it stopped there
   */
  async pauseAtPoint(name: ProcessName): Promise<boolean> {
    const pid = this.processes.get(name)?.pid ?? 0;
    if (this.stopPoint !== null) this.signal(name, 'SIGUSR2');
    const there = this.stopPoint !== null && (await waitUntil(() => isStopped(pid), POINT_MS));
    if (!there) this.pauseProcess(name);
    return there;
  }

  resumeProcess(name: ProcessName): void {
    this.signal(name, 'SIGCONT');
  }

  async stopProcess(name: ProcessName): Promise<void> {
    await this.processes.get(name)?.stop();
    this.processes.delete(name);
  }

  /** SIGKILL, as a crash would. */
  async killProcess(name: ProcessName): Promise<void> {
    await this.processes.get(name)?.kill();
    this.processes.delete(name);
  }

  override mails(): readonly DeliveredMail[] {
    return this.servers.smtp.mails;
  }

  override smtp(state: 'down' | 'up'): Promise<void> {
    return state === 'down' ? this.servers.smtp.down() : this.servers.smtp.up();
  }

  override async publishUsage(tenantId: string, event: unknown): Promise<void> {
    const headers = { [TENANT_HEADER]: tenantId };
    await this.bus.publish('usage.raw', [
      { key: tenantId, value: Buffer.from(JSON.stringify(event)), headers },
    ]);
  }

  override gateway(name: GateName): Promise<string> {
    return name === 'agent' ? Promise.resolve(this.agentUrl) : this.front.url(name);
  }

  override async service(action: ServiceAction, name: string): Promise<void> {
    if (action === 'cut' || action === 'join')
      return switchFeed(action, name, { gateUrl: this.plan.urls.gate, internalSecret: INTERNAL_SECRET });
    if (name === 'redis') return this.switchRedis(action);
    await (action === 'stop'
      ? this.stopProcess(name as ProcessName)
      : this.startProcess(name as ProcessName));
  }

  override async close(): Promise<void> {
    await this.front.stop();
    for (const name of [...START_ORDER].reverse()) await this.stopProcess(name);
    await this.bus.close();
    const { postgres, kafka, redis, smtp } = this.servers;
    await Promise.all([postgres.stop(), kafka.stop(), this.redisUp ? redis.stop() : undefined, smtp.stop()]);
    await rm(this.dir, { recursive: true, force: true });
  }

  private signal(name: ProcessName, signal: NodeJS.Signals): void {
    const pid = this.processes.get(name)?.pid;
    if (pid !== undefined) process.kill(pid, signal);
  }

  private environmentOf(name: ProcessName): Readonly<Record<string, string>> {
    const env = environmentOf(name, this.plan);
    if (this.stopPoint === null || !name.startsWith('ledger')) return env;
    const options = `${env['NODE_OPTIONS'] ?? ''} --require ${STOP_POINT_MODULE}`;
    return { ...env, NODE_OPTIONS: options, STOP_POINT: this.stopPoint };
  }

  private async switchRedis(action: 'stop' | 'start'): Promise<void> {
    const { redis } = this.servers;
    if (action === 'stop') await redis.stop();
    else Object.assign(this.servers, { redis: await startRedis({ port: redis.port }) });
    this.redisUp = action === 'start';
  }
}

/** From /proc/<pid>/stat, see proc(5): pid (name) state. */
function isStopped(pid: number): boolean {
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}
