import {
  type Catalog,
  type CustomerFacts,
  type NotifierEvent,
  TOPICS,
  catalogSchema,
  decodeEvent,
  encodeEvent,
} from '@tallygate/contracts';
import { type PostgresServer, type SmtpServer, startPostgres, startSmtp } from '@tallygate/infra-local';
import {
  type Instant,
  ManualClock,
  SequentialIds,
  formatInstant,
  instant,
  parseInstant,
} from '@tallygate/kernel';
import { NotificationModule, notificationProvisioning } from '@tallygate/notification';
import {
  BullJobQueue,
  InProcessEventBus,
  KeyDirectory,
  type Principal,
  type RunningService,
  type ServiceContext,
  TEST_ROLE_SECRET,
  type TestDatabase,
  createService,
  createServiceContext,
  createTestDatabase,
  provisionQueue,
} from '@tallygate/platform';
import { type Fact, acme, testTenant } from './rig-facts';

const API_KEY = `tg_test_${'a'.repeat(43)}`;
const ids = new SequentialIds(
  () => 1_700_000_000_000,
  (bytes) => new Uint8Array(bytes).fill(7),
);

const at = (text: string): Instant => {
  const parsed = parseInstant(text);
  return parsed.ok ? parsed.value : instant(NaN);
};

class OneKey extends KeyDirectory {
  tenantId = '';
  override find(): Promise<Principal | null> {
    return Promise.resolve({ tenantId: this.tenantId, mode: 'test', keyId: ids.next(), scopes: ['admin'] });
  }
}

const KEPT = {
  notice:
    'row_number() over (partition by customer_id, kind, subject order by sequence)::int, customer_id, kind, subject, stage, threshold, at, details',
  delivery: 'customer_id, address, tries, due_at',
  reminder: 'customer_id, kind, source, subject, stage, threshold, details, due_at, ends_at',
  watch: 'customer_id, kind, key, version::int, facts, fired, due_at',
  announced_usage: 'customer_id, feature, period_start, percent, units',
};

/** What a process of the notifier is made of; gone and made anew by a restart. */
interface Running {
  readonly bus: InProcessEventBus;
  readonly queue: BullJobQueue;
  readonly context: ServiceContext;
  readonly service: RunningService;
}

/** The notifier with real PostgreSQL, a real queue and a real SMTP server; billing, ledger and dunning are the test. */
export class Rig {
  readonly facts: NotifierEvent[] = [];
  tenantId = '';
  customerId = '';
  private customerVersion = 1;
  private revision = 1;

  private constructor(
    private readonly postgres: PostgresServer,
    private readonly database: TestDatabase,
    readonly smtp: SmtpServer,
    private readonly keys: OneKey,
    private running: Running,
  ) {}

  static async start(): Promise<Rig> {
    const postgres = await startPostgres();
    const smtp = await startSmtp();
    const database = await createTestDatabase(postgres, [notificationProvisioning], {
      name: 'queue',
      run: (ownerUrl, roleSecret) => provisionQueue({ ownerUrl, roleSecret }),
    });
    const keys = new OneKey();
    const rig = new Rig(postgres, database, smtp, keys, await run(database, smtp, keys));
    await rig.listen();
    return rig;
  }

  async stop(): Promise<void> {
    await stop(this.running);
    await this.smtp.stop();
    await this.postgres.stop();
  }

  async restart(): Promise<void> {
    await stop(this.running);
    this.running = await run(this.database, this.smtp, this.keys);
    await this.listen();
  }

  /** A tenant of its own with one customer. */
  async given(
    clock: string,
    customer: Partial<CustomerFacts> = {},
    rules: Catalog['notification_rules'] = [],
  ): Promise<void> {
    this.tenantId = ids.next();
    this.customerId = ids.next();
    this.keys.tenantId = this.tenantId;
    this.facts.length = 0;
    this.smtp.mails.length = 0;
    this.smtp.answerWith(() => 'accept');
    await this.say({ type: 'tenant.changed', data: { tenant: testTenant(this.tenantId, clock) } }, clock);
    await this.rules(rules);
    await this.customer(customer);
  }

  async rules(rules: Catalog['notification_rules']): Promise<void> {
    this.revision += 1;
    const catalog = { ...catalogSchema.parse({}), notification_rules: rules };
    await this.say({ type: 'catalog.applied', data: { revision: this.revision, catalog } });
  }

  async customer(change: Partial<CustomerFacts>): Promise<void> {
    this.customerVersion += 1;
    const customer = acme(this.customerId, { version: this.customerVersion, ...change });
    await this.say({ type: 'customer.changed', data: { customer } });
  }

  /** Publishes, and lets the service come to rest. */
  async hear(...facts: readonly Fact[]): Promise<void> {
    for (const fact of facts) await this.say(fact);
    await this.settle();
  }

  async say(fact: Fact, occurredAt?: string, id = ids.next()): Promise<void> {
    const event = { id, tenantId: this.tenantId, occurredAt: occurredAt ?? (await this.now()), ...fact };
    await this.running.bus.publish(topicOf(fact), [{ key: this.tenantId, ...encodeEvent(event) }]);
  }

  /** Facts of one topic as one slice. */
  async saySlice(facts: readonly Fact[]): Promise<void> {
    const [first] = facts;
    if (first === undefined) return;
    const head = { tenantId: this.tenantId, occurredAt: await this.now() };
    await this.running.bus.publish(
      topicOf(first),
      facts.map((fact) => ({ key: this.tenantId, ...encodeEvent({ id: ids.next(), ...head, ...fact }) })),
    );
  }

  /** What the service keeps about the tenant, without ids that it gave itself. */
  async kept(): Promise<Record<string, unknown[]>> {
    return this.running.context.database.asWorker(async (tx) => {
      const kept: Record<string, unknown[]> = {};
      for (const [table, columns] of Object.entries(KEPT)) {
        const text = `select ${columns} from ${table} where tenant_id = $1`;
        const { rows } = await tx.query(text, [this.tenantId]);
        kept[table] = rows.map((row) => JSON.stringify(row)).sort();
      }
      return kept;
    });
  }

  /** Moves the tenant's clock through every due instant. */
  async to(target: string): Promise<void> {
    const end = at(target);
    for (let now = at(await this.now()); now < end;) {
      const due = await this.running.context.participant.nextDue(this.tenantId, now);
      now = due !== null && due < end ? due : end;
      await this.settleAt(now);
    }
  }

  async settle(): Promise<void> {
    await this.settleAt(at(await this.now()));
  }

  async now(): Promise<string> {
    return formatInstant(await this.running.context.tenantTime.now(this.tenantId));
  }

  async get(path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.running.service.url}${path}`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    });
    return (await answer.json()) as Record<string, unknown>;
  }

  /** The in-product feed: month, day and time, kind, threshold or subject. */
  async notices(): Promise<string[]> {
    const { notices } = (await this.get('/v1/customers/acme/notices')) as {
      notices: { at: string; kind: string; subject: string; threshold: string | null }[];
    };
    return notices.map((one) => `${one.at.slice(5, 16)} ${one.kind} ${one.threshold ?? one.subject}`);
  }

  /** What the SMTP server took, in that order: kind and threshold or subject. */
  mails(): string[] {
    return this.smtp.mails.map(
      ({ headers }) =>
        `${headers['x-tallygate-kind']} ${headers['x-tallygate-threshold'] ?? headers['x-tallygate-subject']}`,
    );
  }

  /** What the notifier published: time, what became of it, subject. */
  outcomes(): string[] {
    return this.facts.flatMap((fact) =>
      fact.type === 'alert.raised'
        ? []
        : [`${fact.occurredAt.slice(5, 16)} ${fact.type.slice(7)} ${fact.data.kind} ${fact.data.subject}`],
    );
  }

  private async settleAt(now: Instant): Promise<void> {
    for (let before = -1, activity = 0; before !== activity;) {
      before = activity;
      activity = (await this.running.context.participant.settle(this.tenantId, now)).activity;
    }
  }

  private async listen(): Promise<void> {
    await this.running.bus.subscribe({
      topics: [TOPICS.notifierEvents],
      group: 'test',
      handle: async ({ messages }) => {
        const facts = messages.map(({ value }) => decodeEvent<NotifierEvent>(value));
        this.facts.push(...facts.filter(({ tenantId }) => tenantId === this.tenantId));
      },
    });
  }
}

async function run(database: TestDatabase, smtp: SmtpServer, keys: OneKey): Promise<Running> {
  const bus = new InProcessEventBus();
  const queue = new BullJobQueue({
    backend: { kind: 'postgres', databaseUrl: database.url, roleSecret: TEST_ROLE_SECRET },
  });
  const context = await createServiceContext({
    name: 'notifier',
    database: { url: database.url, roleSecret: TEST_ROLE_SECRET, provision: false },
    ...notificationProvisioning,
    bus,
    queue,
    clock: new ManualClock(at('2026-01-01T00:00:00Z')),
  });
  const module = NotificationModule.register(context, {
    smtp: { url: smtp.url, from: 'Example <billing@example.test>' },
  });
  const config = {
    PORT: 0,
    INTERNAL_SECRET: 'internal secret of tests',
    ROOT_KEY: 'root key of tests',
    LOG_LEVEL: 'silent',
  };
  const service = await createService(module, {
    name: 'notifier',
    config,
    contexts: [context],
    keyDirectory: keys,
    handleSignals: false,
  });
  return { bus, queue, context, service };
}

async function stop({ service, queue, bus }: Running): Promise<void> {
  await service.close();
  await queue.close();
  await bus.close();
}

const LEDGER = ['balance.changed', 'quota.changed', 'spend.changed', 'lot.changed', 'usage.rejected'];
const DUNNING = ['payment.', 'collection.', 'suspension.', 'dunning.', 'alert.'];

function topicOf({ type }: Fact): string {
  if (LEDGER.includes(type)) return TOPICS.ledgerEvents;
  const dunning = DUNNING.some((start) => type.startsWith(start)) && type !== 'payment_method.changed';
  return dunning ? TOPICS.dunningEvents : TOPICS.billingEvents;
}
