import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEvent, encodeEvent, TOPICS } from '@tallygate/contracts';
import type {
  BillingEvent,
  Catalog,
  DunningEvent,
  InvoiceFacts,
  NotifierEvent,
  PayAnswer,
  PaymentMethodFacts,
} from '@tallygate/contracts';
import { catalogSchema } from '@tallygate/contracts';
import { DunningModule, dunningProvisioning, Paying } from '@tallygate/dunning';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { formatInstant, instant, ManualClock, parseInstant, SequentialIds } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import {
  BullJobQueue,
  createService,
  createServiceContext,
  createTestDatabase,
  InProcessEventBus,
  KeyDirectory,
  provisionQueue,
  TEST_ROLE_SECRET,
} from '@tallygate/platform';
import type { Principal, RunningService, ServiceContext, TestDatabase } from '@tallygate/platform';
import { acme, testTenant } from './rig-facts';
// The sandbox is an application, not a library; tests of the two together need its code itself.
/* eslint-disable @nx/enforce-module-boundaries */
import { startSandbox } from '../../sandbox/src/server';
import type { SandboxServer } from '../../sandbox/src/server';
/* eslint-enable @nx/enforce-module-boundaries */

const WEBHOOK_SECRET = 'the secret of the sandbox in tests';
const API_KEY = `tg_test_${'a'.repeat(43)}`;
const ids = new SequentialIds(
  () => 1_700_000_000_000,
  (bytes) => new Uint8Array(bytes).fill(7),
);

export const at = (text: string): Instant => {
  const parsed = parseInstant(text);
  return parsed.ok ? parsed.value : instant(NaN);
};

class OneKey extends KeyDirectory {
  tenantId = '';
  override find(): Promise<Principal | null> {
    return Promise.resolve({ tenantId: this.tenantId, mode: 'test', keyId: ids.next(), scopes: ['admin'] });
  }
}

/** The dunning service with real PostgreSQL, a real queue and the real sandbox; billing and the notifier are the test. */
export class Rig {
  readonly events: DunningEvent[] = [];
  /** Of whom facts were stated. */
  readonly tenants = new Set<string>();
  private invoiceNumber = 0;
  private versions = 0;
  tenantId = '';
  customerId = '';
  /** The notifier delivers warnings at once, unless a test takes that over. */
  deliverWarnings = true;

  private constructor(
    readonly postgres: PostgresServer,
    readonly database: TestDatabase,
    readonly bus: InProcessEventBus,
    readonly queue: BullJobQueue,
    readonly context: ServiceContext,
    readonly service: RunningService,
    public sandbox: SandboxServer,
    private readonly folder: string,
    private readonly sandboxPort: number,
    private readonly keys: OneKey,
  ) {}

  static async start(): Promise<Rig> {
    const postgres = await startPostgres();
    const database = await createTestDatabase(postgres, [dunningProvisioning], {
      name: 'queue',
      run: (ownerUrl, roleSecret) => provisionQueue({ ownerUrl, roleSecret }),
    });
    const bus = new InProcessEventBus();
    const queue = new BullJobQueue({
      backend: { kind: 'postgres', databaseUrl: database.url, roleSecret: TEST_ROLE_SECRET },
    });
    const systemClock = new ManualClock(at('2026-01-01T00:00:00Z'));
    const context = await createServiceContext({
      name: 'dunning',
      database: { url: database.url, roleSecret: TEST_ROLE_SECRET, provision: false },
      ...dunningProvisioning,
      bus,
      queue,
      clock: systemClock,
    });
    const folder = await mkdtemp(join(tmpdir(), 'dunning-'));
    const sandbox = await startSandbox(sandboxOptions(folder, 0, 'first'));
    const keys = new OneKey();
    const module = DunningModule.register(context, {
      internalSecret: 'internal secret of tests',
      provider: { url: sandbox.url, webhookSecret: WEBHOOK_SECRET },
    });
    const config = {
      PORT: 0,
      INTERNAL_SECRET: 'internal secret of tests',
      ROOT_KEY: 'root key of tests',
      LOG_LEVEL: 'silent',
    };
    const service = await createService(module, {
      name: 'dunning',
      config,
      contexts: [context],
      keyDirectory: keys,
      handleSignals: false,
    });
    const rig = new Rig(
      postgres,
      database,
      bus,
      queue,
      context,
      service,
      sandbox,
      folder,
      Number(new URL(sandbox.url).port),
      keys,
    );
    await rig.control('PUT', '/control/target', { url: `${service.url}/v1/providers/sandbox/webhooks` });
    await bus.subscribe({
      topics: [TOPICS.dunningEvents],
      group: 'test',
      handle: (slice) => rig.heard(slice.messages.map((one) => one.value)),
    });
    return rig;
  }

  async stop(): Promise<void> {
    await this.service.close();
    await this.queue.close();
    await this.bus.close();
    await this.sandbox.close();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The provider as a process that dies and comes back with its record. */
  async restartSandbox(): Promise<void> {
    await this.sandbox.close();
    this.sandbox = await startSandbox(sandboxOptions(this.folder, this.sandboxPort, `run${this.versions}`));
    await this.control('PUT', '/control/target', {
      url: `${this.service.url}/v1/providers/sandbox/webhooks`,
    });
  }

  /** What somebody without the provider's secret may send. @returns the status */
  async strangersWebhook(account: string): Promise<number> {
    const { status } = await fetch(`${this.service.url}/v1/providers/sandbox/webhooks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        id: ids.next(),
        type: 'charge.succeeded',
        account,
        mode: 'test',
        data: { charge: 'c', attempt: ids.next(), code: null, advice: null, captured_at: null },
      }),
    });
    return status;
  }

  /** A tenant of its own with one customer and its card. */
  async given(
    clock: string,
    card: string | null,
    catalog: Partial<Catalog> = {},
    method: Partial<PaymentMethodFacts> = {},
  ): Promise<void> {
    this.tenantId = ids.next();
    this.customerId = ids.next();
    this.keys.tenantId = this.tenantId;
    this.events.length = 0;
    this.invoiceNumber = 0;
    this.deliverWarnings = true;
    await this.say(clock, { type: 'tenant.changed', data: { tenant: testTenant(this.tenantId, clock) } });
    await this.say(clock, {
      type: 'catalog.applied',
      data: { revision: 1, catalog: { ...catalogSchema.parse({}), ...catalog } },
    });
    await this.say(clock, { type: 'customer.changed', data: { customer: acme(this.customerId) } });
    if (card !== null) await this.card(card, method);
    await this.settle();
  }

  async card(behaviour: string, more: Partial<PaymentMethodFacts> = {}): Promise<PaymentMethodFacts> {
    this.versions += 1;
    const method: PaymentMethodFacts = {
      id: ids.next(),
      customerId: this.customerId,
      providerRef: `sandbox:${behaviour}`,
      brand: 'visa',
      funding: 'credit',
      expires: null,
      label: behaviour,
      ...more,
    };
    await this.say(await this.now(), {
      type: 'payment_method.changed',
      data: { customerId: this.customerId, method, version: this.versions },
    });
    return method;
  }

  invoiceFacts(change: Partial<InvoiceFacts> & { anchor: string }): InvoiceFacts {
    this.invoiceNumber += 1;
    return {
      id: ids.next(),
      number: this.invoiceNumber,
      customerId: this.customerId,
      payerId: this.customerId,
      kind: 'subscription',
      currency: 'USD',
      total: '10',
      due: '10',
      status: 'open',
      subscriptionId: ids.next(),
      dunningPolicy: null,
      interval: 'month',
      version: 1,
      ...change,
    };
  }

  async invoice(change: Partial<InvoiceFacts> & { anchor: string }): Promise<InvoiceFacts> {
    const invoice = this.invoiceFacts(change);
    await this.billing(invoice, 'opened');
    return invoice;
  }

  async billing(
    invoice: InvoiceFacts,
    cause: Extract<BillingEvent, { type: 'invoice.changed' }>['data']['cause'],
  ): Promise<void> {
    await this.say(await this.now(), { type: 'invoice.changed', data: { invoice, cause } });
    await this.settle();
  }

  pay(
    invoice: InvoiceFacts,
    method: PaymentMethodFacts | null,
    through: 'api' | 'hosted' = 'api',
  ): Promise<PayAnswer> {
    return this.service.app
      .get(Paying, { strict: false })
      .pay({ tenantId: this.tenantId, invoiceId: invoice.id, through, invoice, method });
  }

  /** Moves the tenant's clock through every due instant. */
  async to(target: string): Promise<void> {
    const end = at(target);
    for (let now = at(await this.now()); now < end;) {
      const due = await this.context.participant.nextDue(this.tenantId, now);
      now = due !== null && due < end ? due : end;
      await this.settleAt(now);
    }
  }

  async settle(): Promise<void> {
    await this.settleAt(at(await this.now()));
  }

  async now(): Promise<string> {
    return formatInstant(await this.context.tenantTime.now(this.tenantId));
  }

  async get(path: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.service.url}${path}`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    });
    return (await answer.json()) as Record<string, unknown>;
  }

  /** What the API says was tried: day of the year 2026 and hour, outcome, class. */
  async attempts(): Promise<string[]> {
    const { list } = (await this.get('/v1/customers/acme/attempts')) as {
      list: { at: string; outcome: string; decline_class: string | null }[];
    };
    return list.map((one) =>
      [one.at.slice(5, 16), one.outcome, one.decline_class].filter((part) => part !== null).join(' '),
    );
  }

  async state(): Promise<unknown> {
    return (await this.get('/v1/customers/acme/collection')).state;
  }

  /** States as they were published, with the time of each. */
  states(): string[] {
    return this.events.flatMap((event) =>
      event.type === 'collection.changed' ? [`${event.occurredAt.slice(5, 16)} ${event.data.state}`] : [],
    );
  }

  types(): string[] {
    return this.events
      .map((event) => (event.type === 'alert.raised' ? event.data.kind : event.type))
      .filter((type) => type !== 'collection.changed');
  }

  async captured(): Promise<unknown> {
    return (await this.control('GET', `/control/captures?tenant=${this.tenantId}&customer=acme`)).total;
  }

  script(body: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.control('POST', '/control/script', { tenant: this.tenantId, customer: 'acme', ...body });
  }

  async provide(body: Record<string, unknown>): Promise<void> {
    await this.control('POST', '/control/events', { tenant: this.tenantId, customer: 'acme', ...body });
    await this.settle();
  }

  async control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.sandbox.url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return (await answer.json()) as Record<string, unknown>;
  }

  async notify(kind: 'notice.delivered' | 'notice.undeliverable', anchor: string): Promise<void> {
    const now = await this.now();
    const notice = {
      noticeId: ids.next(),
      customerId: this.customerId,
      kind: 'suspension_scheduled' as const,
      subject: anchor,
    };
    const delivered = {
      type: 'notice.delivered' as const,
      data: { ...notice, threshold: null, channel: 'email' as const, deliveredAt: now },
    };
    const event = {
      id: ids.next(),
      tenantId: this.tenantId,
      occurredAt: now,
      ...(kind === 'notice.delivered' ? delivered : { type: kind, data: notice }),
    } as NotifierEvent;
    const { value, headers } = encodeEvent(event);
    await this.bus.publish(TOPICS.notifierEvents, [{ key: this.customerId, value, headers }]);
  }

  private async settleAt(now: Instant): Promise<void> {
    for (let before = -1, activity = 0; before !== activity;) {
      before = activity;
      const dunning = await this.context.participant.settle(this.tenantId, now);
      const sandbox = await this.control('POST', '/internal/clock/settle', {
        tenantId: this.tenantId,
        now: formatInstant(now),
      });
      activity = dunning.activity + Number(sandbox.activity);
    }
  }

  private async heard(values: readonly Buffer[]): Promise<void> {
    const said = values.map((value) => decodeEvent<DunningEvent>(value));
    for (const { tenantId } of said) this.tenants.add(tenantId);
    for (const event of said.filter((one) => one.tenantId === this.tenantId)) {
      this.events.push(event);
      if (event.type === 'suspension.scheduled' && this.deliverWarnings)
        await this.notify('notice.delivered', event.data.anchor);
    }
  }

  private async say(
    occurredAt: string,
    said: { [E in BillingEvent as E['type']]: Pick<E, 'type' | 'data'> }[BillingEvent['type']],
  ): Promise<void> {
    const { value, headers } = encodeEvent({ id: ids.next(), tenantId: this.tenantId, occurredAt, ...said });
    await this.bus.publish(TOPICS.billingEvents, [{ key: this.tenantId, value, headers }]);
  }
}

function sandboxOptions(folder: string, port: number, run: string) {
  return {
    host: '127.0.0.1',
    port,
    journalPath: join(folder, 'provider.jsonl'),
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: null,
    run,
  };
}
