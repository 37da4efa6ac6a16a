import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { formatInstant, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { catalogSchema, encodeEvent, TOPICS, unpackUsage, usageIdentity } from '@tallygate/contracts';
import type {
  BillingEvent,
  CustomerFacts,
  LedgerEvent,
  MeteredEvent,
  TenantFacts,
} from '@tallygate/contracts';
import {
  createMetrics,
  createService,
  createServiceContext,
  generateApiKey,
  hashApiKey,
  JobQueue,
  KeyDirectory,
} from '@tallygate/platform';
import type {
  EventBus,
  Principal,
  RunningService,
  RunningSubscription,
  Scope,
  ServiceContext,
  TestDatabase,
} from '@tallygate/platform';
import { IngestionModule, ingestionProvisioning } from '../ingestion.module';
import { IdentityLookup } from '../service/ports';
import type { CorrectionTarget, CorrectionTargets, Identity, KnownIdentity } from '../service/ports';

export const ONE = '00000000-0000-7000-8000-000000000001';
export const TWO = '00000000-0000-7000-8000-000000000002';
export const ACME = '00000000-0000-7000-8000-0000000000a1';
export const START = '2026-03-01T00:00:00Z';

/** Keys that exist only in this process, issued by the rig. */
class IssuedKeys extends KeyDirectory {
  private readonly principals = new Map<string, Principal>();

  issue(tenantId: string, scopes: readonly Scope[]): string {
    const key = generateApiKey('test');
    this.principals.set(hashApiKey(key), {
      tenantId,
      mode: 'test',
      keyId: hashApiKey(key).slice(0, 8),
      scopes,
    });
    return key;
  }

  override async find(secretHash: string): Promise<Principal | null> {
    return this.principals.get(secretHash) ?? null;
  }
}

class NoQueue extends JobQueue {
  override async add(): Promise<void> {}
  override async work(): Promise<void> {}
  override async idle(): Promise<void> {}
  override async close(): Promise<void> {}
}

/** What the ledger would have booked. */
export class BookedIdentities extends IdentityLookup implements CorrectionTargets {
  readonly booked: KnownIdentity[] = [];
  /** Identities that were asked for. */
  readonly asked: string[] = [];
  /** Events that corrections may be about. */
  readonly events: CorrectionTarget[] = [];

  async find(_tenantId: string, identities: readonly Identity[]): Promise<readonly CorrectionTarget[]> {
    return this.events.filter((one) =>
      identities.some(({ source, id }) => source === one.source && id === one.id),
    );
  }

  override async known(identities: readonly string[]): Promise<ReadonlyMap<string, string>> {
    this.asked.push(...identities);
    const booked = this.booked.map(
      ({ source, id, payloadHash }) => [usageIdentity(ONE, source, id), payloadHash] as const,
    );
    return new Map(booked.filter(([identity]) => identities.includes(identity)));
  }
}

@Module({})
class RigModule {}

export interface HttpReply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Ingestion as a process has it: HTTP server, schema, subscriptions. The bus is the test's, and so are the neighbours. */
export class IngestionRig {
  readonly ledger = new BookedIdentities();
  readonly metered: MeteredEvent[] = [];
  /** The messages that `metered` came in. */
  readonly packs: MeteredEvent[][] = [];
  private readonly keys = new IssuedKeys();
  private readonly versions = new Map<string, number>();
  private facts = 0;
  private revision = 0;
  private now = instantAt(START);

  private constructor(
    readonly bus: EventBus,
    readonly context: ServiceContext,
  ) {}

  private service!: RunningService;
  private reader!: RunningSubscription;

  static async start(database: TestDatabase, bus: EventBus): Promise<IngestionRig> {
    const { url, roleSecret } = database;
    const context = await createServiceContext({
      name: 'ingestion',
      ...ingestionProvisioning,
      database: { url, roleSecret, provision: false },
      bus,
      queue: new NoQueue(),
      metrics: createMetrics(),
    });
    const rig = new IngestionRig(bus, context);
    await rig.listen().catch(async (error: unknown) => {
      await context.stop();
      throw error;
    });
    return rig;
  }

  private async listen(): Promise<void> {
    const group = 'ledger.usage';
    this.reader = await this.bus.subscribe({
      topics: [TOPICS.usageMetered],
      group,
      handle: async ({ messages }) => {
        for (const { value } of messages) {
          const events = unpackUsage(value);
          this.packs.push(events);
          this.metered.push(...events);
        }
      },
    });
    const module: DynamicModule = {
      module: RigModule,
      imports: [IngestionModule.register(this.context, { identities: this.ledger })],
    };
    this.service = await createService(module, {
      name: 'ingestion',
      config: {
        PORT: 0,
        INTERNAL_SECRET: 'internal secret of tests',
        ROOT_KEY: 'root-key-of-the-tests',
        LOG_LEVEL: 'silent',
      },
      contexts: [this.context],
      keyDirectory: this.keys,
      metrics: this.context.metrics,
      handleSignals: false,
    });
  }

  async stop(): Promise<void> {
    await this.reader.stop();
    await this.service.close();
  }

  key(tenantId = ONE, scopes: readonly Scope[] = ['admin']): string {
    return this.keys.issue(tenantId, scopes);
  }

  /** Everything sent so far has had its effects. */
  async settle(tenantId = ONE): Promise<void> {
    await this.context.participant.settle(tenantId, this.now);
    await this.reader.caughtUp();
  }

  async moveClock(text: string): Promise<void> {
    this.now = instantAt(text);
    await this.settle();
  }

  async call(
    method: string,
    path: string,
    init: { key?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
  ): Promise<HttpReply> {
    const { key = this.key(), headers, body } = init;
    const answer = await fetch(this.service.url + path, {
      method,
      body,
      headers: { authorization: `Bearer ${key}`, ...headers },
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text },
    };
  }

  /** One event in structured mode, an array of them in batch mode. */
  send(event: object, key?: string): Promise<HttpReply> {
    const type = Array.isArray(event) ? 'application/cloudevents-batch+json' : 'application/cloudevents+json';
    return this.call('POST', '/v1/events', {
      key,
      headers: { 'content-type': type },
      body: JSON.stringify(event),
    });
  }

  async raw(
    ...messages: { readonly value: string | Buffer; readonly headers?: Record<string, string> }[]
  ): Promise<void> {
    await this.bus.publish(
      TOPICS.usageRaw,
      messages.map(({ value, headers = { tenant: ONE } }) => ({
        key: 'gate',
        value: Buffer.from(value),
        headers,
      })),
    );
  }

  async tenant(changes: Partial<TenantFacts> = {}): Promise<void> {
    const settings = {
      lateness: '1h',
      dedupWindow: '35d',
      discloseBalance: false,
      disclosePrice: true,
      portalUrl: null,
      docsUrl: null,
    };
    const tenant: TenantFacts = {
      id: ONE,
      name: 'one',
      mode: 'test',
      timezone: 'UTC',
      currency: 'USD',
      settings,
      clock: START,
      ...changes,
    };
    await this.bill('tenant.changed', { tenant }, tenant.id);
  }

  async catalog(document: object, tenantId = ONE): Promise<void> {
    this.revision += 1;
    await this.bill(
      'catalog.applied',
      { revision: this.revision, catalog: catalogSchema.parse(document) },
      tenantId,
    );
  }

  async customer(changes: Partial<CustomerFacts> & { readonly key: string }, tenantId = ONE): Promise<void> {
    const version = (this.versions.get(changes.key) ?? 0) + 1;
    this.versions.set(changes.key, version);
    const customer: CustomerFacts = {
      id: ACME,
      name: null,
      email: null,
      webhookUrl: null,
      timezone: 'UTC',
      currency: 'USD',
      subjects: [],
      apiKeys: [],
      parentId: null,
      payerId: null,
      overdraft: {},
      version,
      ...changes,
    };
    await this.bill('customer.changed', { customer }, tenantId);
  }

  async reject(
    data: Extract<LedgerEvent, { type: 'usage.rejected' }>['data'],
    factId = this.factId(),
  ): Promise<void> {
    await this.publish(TOPICS.ledgerEvents, {
      id: factId,
      type: 'usage.rejected',
      tenantId: ONE,
      occurredAt: formatInstant(this.now),
      data,
    });
  }

  factId(): string {
    this.facts += 1;
    return `fact-${this.facts}`;
  }

  private async bill(type: BillingEvent['type'], data: unknown, tenantId: string): Promise<void> {
    await this.publish(TOPICS.billingEvents, {
      id: this.factId(),
      type,
      tenantId,
      occurredAt: formatInstant(this.now),
      data,
    });
  }

  private async publish(topic: string, event: Parameters<typeof encodeEvent>[0]): Promise<void> {
    const { value, headers } = encodeEvent(event);
    await this.bus.publish(topic, [{ key: event.tenantId, value, headers: { ...headers } }]);
  }
}

export function instantAt(text: string): Instant {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
}
