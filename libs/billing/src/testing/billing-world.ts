import { encodeEvent, TOPICS } from '@tallygate/contracts';
import type {
  BillingEvent,
  CollectionFacts,
  DunningEvent,
  PayAnswer,
  PayRequest,
  PriceAnnouncement,
  RefundAnswer,
  RefundRequest,
} from '@tallygate/contracts';
import {
  createService,
  createServiceContext,
  createTestDatabase,
  InProcessEventBus,
  NoJobs,
  silentLog,
} from '@tallygate/platform';
import type { RunningService, ServiceContext, TestDatabase, TestServer } from '@tallygate/platform';
import { BillingModule } from '../billing.module';
import { billingProvisioning } from '../provisioning';
import { PgKeyDirectory } from '../postgres/key-directory';
import { CollectionPort, LedgerPrices } from '../service/ports';
import type { RatedRows } from '../service/ports';

/** Stands for dunning: answers as told, captures by default, and keeps what it was asked. */
export class ScriptedDunning extends CollectionPort {
  readonly asked: PayRequest[] = [];
  readonly refunds: RefundRequest[] = [];
  next: PayAnswer[] = [];

  override pay(request: PayRequest): Promise<PayAnswer> {
    this.asked.push(request);
    const { total } = request.invoice;
    const succeeded = { outcome: 'succeeded', attemptId: 'a1', amount: total, capturedAt: '' } as const;
    return Promise.resolve(this.next.shift() ?? succeeded);
  }

  override refund(request: RefundRequest): Promise<RefundAnswer> {
    this.refunds.push(request);
    return Promise.resolve({ outcome: 'refunded', amount: request.amount ?? '0' });
  }
}

/** Stands for the ledger: has rated nothing, unless told what. */
export class ScriptedLedger extends LedgerPrices {
  readonly asked: PriceAnnouncement[] = [];
  /** Announcements that were taken back. */
  readonly withdrawn: string[] = [];
  rated: RatedRows = [];
  /** Happens between the answer and the work. */
  meanwhile: () => Promise<void> = () => Promise.resolve();

  forget(): void {
    this.asked.length = 0;
    this.withdrawn.length = 0;
    this.rated = [];
  }

  override async announced<T>(
    announcement: PriceAnnouncement,
    work: () => Promise<{ readonly stated: boolean; readonly value: T }>,
  ) {
    this.asked.push(announcement);
    if (this.rated.length > 0) return { outcome: 'refused' as const, rated: this.rated };
    const { meanwhile } = this;
    this.meanwhile = () => Promise.resolve();
    await meanwhile();
    const { stated, value } = await work();
    if (!stated) this.withdrawn.push(announcement.id);
    return { outcome: 'worked' as const, value };
  }
}

export const DECLINED: PayAnswer = {
  outcome: 'declined',
  attemptId: 'a1',
  declineClass: 'funds',
  declineCode: 'insufficient_funds',
};

export interface Reply {
  readonly status: number;
  // Bodies are looked into by tests, which say what they expect.
  readonly body: Record<string, never> & { readonly [key: string]: unknown };
}

export const ROOT = 'root-key-of-the-test-world';
const SECRET = 'internal-secret-of-the-test-world';

/** The billing service as a process would run it, over real PostgreSQL, the in-process bus and HTTP. */
export class BillingWorld {
  readonly facts: BillingEvent[] = [];
  private calls = 0;
  private news = 0;

  private constructor(
    readonly service: RunningService,
    readonly context: ServiceContext,
    readonly dunning: ScriptedDunning,
    readonly ledger: ScriptedLedger,
    private readonly bus: InProcessEventBus,
    private readonly database: TestDatabase,
  ) {}

  static async open(server: TestServer): Promise<BillingWorld> {
    const database = await createTestDatabase(server, [billingProvisioning]);
    const bus = new InProcessEventBus();
    const context = await createServiceContext({
      name: 'billing',
      database: { url: database.url, roleSecret: database.roleSecret, provision: false },
      ...billingProvisioning,
      bus,
      queue: new NoJobs(),
    });
    const dunning = new ScriptedDunning();
    const prices = new ScriptedLedger();
    const service = await createService(
      BillingModule.register(context, { collection: dunning, prices, clockPeers: [] }),
      {
        name: 'billing',
        config: { PORT: 0, INTERNAL_SECRET: SECRET, ROOT_KEY: ROOT },
        contexts: [context],
        keyDirectory: new PgKeyDirectory(context.database),
        log: silentLog,
        handleSignals: false,
      },
    );
    const world = new BillingWorld(service, context, dunning, prices, bus, database);
    await bus.subscribe({
      topics: [TOPICS.billingEvents],
      group: 'test',
      handle: (slice) => {
        for (const { value } of slice.messages)
          world.facts.push(JSON.parse(value.toString()) as BillingEvent);
        return Promise.resolve();
      },
    });
    return world;
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.bus.close();
    await this.database.drop();
  }

  async call(method: string, path: string, body?: unknown, key = ROOT, headers = {}): Promise<Reply> {
    this.calls += 1;
    const response = await fetch(`${this.service.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        'x-tallygate-internal': SECRET,
        'idempotency-key': `call-${this.calls}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Reply['body'] };
  }

  /** A test tenant whose clock starts then, with this catalog. */
  async tenant(clock: string, catalog: object = {}, more: object = {}): Promise<TenantHand> {
    const created = await this.call('POST', '/v1/tenants', { name: 'acme provider', clock, ...more });
    if (created.status !== 201) throw new Error(JSON.stringify(created.body));
    const hand = new TenantHand(this, String(created.body['id']), String(created.body['api_key']));
    const applied = await hand.put('/v1/catalog', catalog);
    if (applied.status !== 200) throw new Error(JSON.stringify(applied.body));
    return hand;
  }

  /** The ledger states a wallet. */
  async sayBalance(tenantId: string, customerId: string, available: string, version: number): Promise<void> {
    const segments = [{ from: '2026-01-01T00:00:00Z', available, held: '0', byFeature: {}, expired: false }];
    const data = { customerId, unit: 'USD', version, debt: '0', segments };
    const event = {
      id: `b-${version}`,
      type: 'balance.changed',
      tenantId,
      occurredAt: '2026-01-01T00:00:00Z',
      data,
    };
    const { value, headers } = encodeEvent(event);
    await this.bus.publish(TOPICS.ledgerEvents, [{ key: customerId, value, headers }]);
  }

  async sayDunning(tenantId: string, said: Pick<DunningEvent, 'type' | 'data'>): Promise<void> {
    this.news += 1;
    const event = {
      id: `news-${this.news}`,
      tenantId,
      occurredAt: '2026-01-01T00:00:00Z',
      ...said,
    } as DunningEvent;
    const { value, headers } = encodeEvent(event);
    await this.bus.publish(TOPICS.dunningEvents, [{ key: tenantId, value, headers }]);
  }
}

type DataOf<T extends BillingEvent['type']> = Extract<BillingEvent, { type: T }>['data'];

/** One tenant's key in the hand of a test. */
export class TenantHand {
  private standing = 0;

  constructor(
    readonly world: BillingWorld,
    readonly id: string,
    readonly key: string,
  ) {}

  get = (path: string) => this.world.call('GET', path, undefined, this.key);
  delete = (path: string) => this.world.call('DELETE', path, undefined, this.key);
  post = (path: string, body: unknown = {}, headers = {}) =>
    this.world.call('POST', path, body, this.key, headers);
  put = (path: string, body: unknown, headers = {}) => this.world.call('PUT', path, body, this.key, headers);
  patch = (path: string, body: unknown) => this.world.call('PATCH', path, body, this.key);
  advance = (to: string) => this.post('/v1/test-clock/advance', { to });

  async subscription(customer: string): Promise<Record<string, unknown>> {
    return (await this.get(`/v1/customers/${customer}/subscription`)).body;
  }

  async invoices(customer: string): Promise<Record<string, unknown>[]> {
    return (await this.get(`/v1/customers/${customer}/invoices`)).body['invoices'] as never;
  }

  async customerId(customer: string): Promise<string> {
    return String((await this.get(`/v1/customers/${customer}`)).body['id']);
  }

  /** Facts of this tenant of one type, oldest first. */
  async facts<T extends BillingEvent['type']>(type: T): Promise<DataOf<T>[]> {
    await this.world.context.outbox.drained(this.id);
    const mine = this.world.facts.filter((fact) => fact.tenantId === this.id && fact.type === type);
    return mine.map((fact) => fact.data as DataOf<T>);
  }

  async paid(invoiceId: string, amount: string): Promise<void> {
    await this.world.sayDunning(this.id, {
      type: 'payment.succeeded',
      data: { invoiceId, customerId: '', attemptId: 'a1', amount, currency: 'USD', capturedAt: '' },
    });
  }

  async stands(
    customerId: string,
    state: CollectionFacts['state'],
    more: Partial<CollectionFacts> = {},
  ): Promise<void> {
    this.standing += 1;
    const data: CollectionFacts = {
      customerId,
      state,
      anchor: null,
      suspendAt: null,
      finalAction: null,
      downgradeTo: null,
      unpaidInvoiceIds: [],
      version: this.standing,
      ...more,
    };
    await this.world.sayDunning(this.id, { type: 'collection.changed', data });
  }
}
