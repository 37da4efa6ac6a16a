import { encodeEvent } from '@tallygate/contracts';
import type { BillingEvent, LedgerEvent } from '@tallygate/contracts';
import {
  EntitlementModule,
  GateRegistry,
  GrpcServer,
  Propagation,
  entitlementProvisioning,
} from '@tallygate/entitlement';
import {
  InProcessEventBus,
  KeyDirectory,
  NoJobs,
  createService,
  createServiceContext,
  hashApiKey,
} from '@tallygate/platform';
import type { Principal, RunningService, TestDatabase } from '@tallygate/platform';
import { catalogSchema } from '@tallygate/contracts';
import { CUSTOMER, TENANT, hashOf } from './sample';

export const GATE_SECRET = 'the-gates-of-this-installation';
export const GATE_KEY = `tg_test_${'k'.repeat(40)}`;

class OneKey extends KeyDirectory {
  override async find(hash: string): Promise<Principal | null> {
    if (hash !== hashApiKey(GATE_KEY)) return null;
    return { tenantId: TENANT, mode: 'test', keyId: 'k', scopes: ['gate'] };
  }
}

/** The entitlement service itself on a real database, told facts as the other services publish them. */
export class RealService {
  private version = 0;

  private constructor(
    private readonly bus: InProcessEventBus,
    private readonly running: RunningService,
  ) {}

  static async start(database: TestDatabase, ports = { http: 0, grpc: 0 }): Promise<RealService> {
    const bus = new InProcessEventBus();
    const context = await createServiceContext({
      name: 'entitlement',
      database: { url: database.url, roleSecret: database.roleSecret, provision: false },
      ...entitlementProvisioning,
      bus,
      queue: new NoJobs(),
    });
    const keyDirectory = new OneKey();
    const grpc = { host: '127.0.0.1', port: ports.grpc };
    const running = await createService(
      EntitlementModule.register(context, { keyDirectory, gateSecret: GATE_SECRET, grpc }),
      {
        name: 'entitlement',
        config: {
          PORT: ports.http,
          INTERNAL_SECRET: 'x'.repeat(16),
          ROOT_KEY: 'y'.repeat(16),
          LOG_LEVEL: 'silent',
        },
        contexts: [context],
        keyDirectory,
        handleSignals: false,
      },
    );
    return new RealService(bus, running);
  }

  get url(): string {
    return this.running.url;
  }

  get grpcUrl(): string {
    return `127.0.0.1:${this.running.app.get(GrpcServer, { strict: false }).port}`;
  }

  get gates(): GateRegistry {
    return this.running.app.get(GateRegistry, { strict: false });
  }

  /** Resolves when every connected gate has acknowledged everything. */
  propagated(): Promise<void> {
    return this.running.app.get(Propagation, { strict: false }).propagated(TENANT);
  }

  async introduce(): Promise<void> {
    await this.publish(
      'billing.events',
      this.tenant(),
      this.catalog(),
      this.customer('secret'),
      this.subscription(),
    );
    await this.balance('5');
  }

  async balance(available: string): Promise<void> {
    const segment = { from: '2026-01-01T00:00:00Z', available, held: '0', byFeature: {}, expired: false };
    const data = { customerId: CUSTOMER, unit: 'USD', version: this.next(), debt: '0', segments: [segment] };
    await this.publish('ledger.events', this.event('balance.changed', data));
  }

  /** Gives the customer these credentials. */
  async credentials(...texts: readonly string[]): Promise<void> {
    await this.publish('billing.events', this.customer(...texts));
  }

  async stop(): Promise<void> {
    await this.running.close();
    await this.bus.close();
  }

  private async publish(topic: string, ...events: readonly (BillingEvent | LedgerEvent)[]): Promise<void> {
    await this.bus.publish(
      topic,
      events.map((event) => ({ key: event.tenantId, ...encodeEvent(event) })),
    );
  }

  private tenant(): BillingEvent {
    const settings = {
      lateness: '1h',
      dedupWindow: '35d',
      discloseBalance: false,
      disclosePrice: true,
      portalUrl: null,
      docsUrl: null,
    };
    const tenant = {
      id: TENANT,
      name: 'Acme',
      mode: 'live' as const,
      timezone: 'UTC',
      currency: 'USD',
      settings,
      clock: null,
    };
    return this.event('tenant.changed', { tenant });
  }

  private catalog(): BillingEvent {
    const catalog = catalogSchema.parse({
      meters: [{ key: 'tokens', event_type: 'llm', aggregation: 'sum', value: '$.tokens' }],
      features: [{ key: 'completions', kind: 'prepaid', meter: 'tokens', price: 'token_price' }],
      prices: [{ key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.002' }],
      plans: [{ key: 'payg', features: { completions: {} } }],
    });
    return this.event('catalog.applied', { revision: this.next(), catalog });
  }

  private customer(...credentials: readonly string[]): BillingEvent {
    const customer = {
      id: CUSTOMER,
      key: 'acme',
      name: null,
      email: null,
      webhookUrl: null,
      timezone: 'UTC',
      currency: 'USD',
      subjects: ['acme-1'],
      apiKeys: credentials.map((text) => ({
        id: text,
        hash: hashOf(text),
        subject: null,
        expiresAt: null,
        revokedAt: null,
      })),
      parentId: null,
      payerId: null,
      overdraft: {},
      version: this.next(),
    };
    return this.event('customer.changed', { customer });
  }

  private subscription(): BillingEvent {
    const [terms] = catalogSchema.parse({ plans: [{ key: 'payg', features: { completions: {} } }] }).plans;
    if (terms === undefined) throw new Error('one plan went in');
    const subscription = {
      id: '0198c0de-0000-7000-8000-0000000000bb',
      customerId: CUSTOMER,
      plan: 'payg',
      planVersion: 1,
      terms,
      status: 'active' as const,
      startedAt: '2026-01-01T00:00:00Z',
      anchor: '2026-01-01T00:00:00Z',
      periodIndex: 0,
      periodStart: '2026-01-01T00:00:00Z',
      periodEnd: '2126-01-01T00:00:00Z',
      trialEnd: null,
      suspendAt: null,
      cancelAt: null,
      endedAt: null,
      pausedAt: null,
      incompleteReason: null,
      version: this.next(),
    };
    return this.event('subscription.changed', { subscription });
  }

  private event<T extends string, D>(type: T, data: D) {
    return { id: `event-${this.next()}`, type, tenantId: TENANT, occurredAt: '2026-01-01T00:00:00Z', data };
  }

  private next(): number {
    this.version += 1;
    return this.version;
  }
}
