import { randomUUID } from 'node:crypto';
import { encodeEvent, TOPICS } from '@tallygate/contracts';
import { formatInstant, ManualClock } from '@tallygate/kernel';
import { createService, createServiceContext, KeyDirectory, NoJobs, silentLog } from '@tallygate/platform';
import type { EventBus, Principal, RunningService, ServiceContext } from '@tallygate/platform';
import { LedgerModule } from '../ledger.module';
import { ledgerProvisioning } from '../provisioning';
import { customerFacts, SAMPLE_CATALOG, START, subscriptionFacts, tenantFacts } from './sample';

const CONFIG = { PORT: 0, INTERNAL_SECRET: 'internal-secret-of-the-test', ROOT_KEY: 'root-key-of-the-test' };

class OneTenant extends KeyDirectory {
  constructor(private readonly tenantId: string) {
    super();
  }

  override async find(): Promise<Principal> {
    return { tenantId: this.tenantId, mode: 'test', keyId: 'k', scopes: ['admin'] };
  }
}

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A ledger as it runs, with its HTTP server, over any bus and database, and a tenant that it serves. */
export class RunningLedger {
  private constructor(
    private readonly service: RunningService,
    readonly context: ServiceContext,
    private readonly bus: EventBus,
    readonly tenantId: string,
  ) {}

  static async start(
    bus: EventBus,
    database: { readonly url: string; readonly roleSecret: string },
    tenantId: string = randomUUID(),
  ): Promise<RunningLedger> {
    const context = await createServiceContext({
      name: 'ledger',
      database: { ...database, provision: false },
      ...ledgerProvisioning,
      bus,
      queue: new NoJobs(),
      clock: new ManualClock(START),
    });
    const service = await createService(
      LedgerModule.register(context, { internalSecret: CONFIG.INTERNAL_SECRET }),
      {
        name: 'ledger',
        config: CONFIG,
        contexts: [context],
        keyDirectory: new OneTenant(tenantId),
        log: silentLog,
        metrics: context.metrics,
        handleSignals: false,
      },
    );
    return new RunningLedger(service, context, bus, tenantId);
  }

  /** Tells it, as billing would, of its tenant and a customer who pays as they go. */
  async introduce(): Promise<{ readonly id: string; readonly key: string }> {
    const id = randomUUID();
    const facts = customerFacts(id);
    await this.tell('tenant.changed', { tenant: tenantFacts(this.tenantId, formatInstant(START)) });
    await this.tell('catalog.applied', { revision: 1, catalog: SAMPLE_CATALOG });
    await this.tell('customer.changed', { customer: facts });
    await this.tell('subscription.changed', { subscription: subscriptionFacts(id, 'payg', START) });
    return { id, key: facts.key };
  }

  async call(
    method: string,
    path: string,
    options: { readonly body?: unknown; readonly key?: string; readonly credential?: string } = {},
  ): Promise<Reply> {
    const { body, key = randomUUID(), credential = 'tg_test_0123456789abcdef0123456789abcdef' } = options;
    const response = await fetch(this.service.url + path, {
      method,
      headers: {
        authorization: `Bearer ${credential}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text.startsWith('#') ? { text } : (JSON.parse(text) as Reply['body']),
    };
  }

  callAsRoot(method: string, path: string, body?: unknown): Promise<Reply> {
    return this.call(method, path, { body, credential: CONFIG.ROOT_KEY });
  }

  grant(customer: string, key: string, amount = '1'): Promise<Reply> {
    const body = { unit: 'USD', amount, key };
    return this.call('POST', `/v1/customers/${customer}/grants`, { body, key });
  }

  async close(): Promise<void> {
    await this.service.close();
  }

  private async tell(type: string, data: unknown): Promise<void> {
    const event = { id: randomUUID(), type, tenantId: this.tenantId, occurredAt: formatInstant(START), data };
    await this.bus.publish(TOPICS.billingEvents, [{ key: this.tenantId, ...encodeEvent(event) }]);
  }
}
