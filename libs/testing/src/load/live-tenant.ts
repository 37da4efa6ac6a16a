import { type Answer, type Call, callHttp } from '../scenario/session';
import type { ServiceName, Stack } from '../scenario/stack';
import { inParallel } from './in-parallel';
import { LOAD_CATALOG } from './usage';

const AT_ONCE = 16;

export interface LiveCustomer {
  readonly key: string;
  /** The consumer's credential at the gate. */
  readonly apiKey: string;
  readonly plan: 'rich' | 'poor';
  readonly paymentMethod?: string;
}

/** A tenant on the system clock, set up over the public API as its provider would. */
export class LiveTenant {
  private constructor(
    private readonly stack: Stack,
    readonly id: string,
    readonly apiKey: string,
  ) {}

  static async open(stack: Stack, name: string): Promise<LiveTenant> {
    const created = await callHttp(`${stack.urls.billing}/v1/tenants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.rootKey}` },
      body: { name, mode: 'live' },
    });
    const { id, api_key: apiKey } = wanted(created, 'the tenant');
    const tenant = new LiveTenant(stack, String(id), String(apiKey));
    wanted(await tenant.call('billing', '/v1/catalog', { method: 'PUT', body: LOAD_CATALOG }), 'the catalog');
    return tenant;
  }

  call(service: ServiceName, path: string, call: Call = {}): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.apiKey}`, ...call.headers };
    return callHttp(`${this.stack.urls[service]}${path}`, { ...call, headers });
  }

  async createCustomers(customers: readonly LiveCustomer[]): Promise<void> {
    await inParallel(customers, AT_ONCE, async (customer) => {
      const body = {
        key: customer.key,
        api_keys: [customer.apiKey],
        plan: customer.plan,
        ...(customer.paymentMethod !== undefined && { payment_method: customer.paymentMethod }),
      };
      wanted(await this.call('billing', '/v1/customers', { method: 'POST', body }), customer.key);
    });
  }

  /** @param amount decimal text */
  async grant(customer: string, amount: string, key: string): Promise<void> {
    const answer = await this.call('ledger', `/v1/customers/${customer}/grants`, {
      method: 'POST',
      headers: { 'idempotency-key': key },
      body: { unit: 'USD', amount, key },
    });
    wanted(answer, `the grant of ${customer}`);
  }

  topUp(customer: string, amount: string, key: string): Promise<Answer> {
    return this.call('billing', `/v1/customers/${customer}/top-ups`, {
      method: 'POST',
      headers: { 'idempotency-key': key },
      body: { unit: 'USD', amount, key },
    });
  }

  /** One event, or a batch. */
  sendUsage(events: unknown): Promise<Answer> {
    return this.call('ingestion', '/v1/events', {
      method: 'POST',
      body: events,
      headers: {
        'content-type': Array.isArray(events)
          ? 'application/cloudevents-batch+json'
          : 'application/cloudevents+json',
      },
    });
  }
}

function wanted(answer: Answer, what: string): Record<string, unknown> {
  if (answer.status < 300) return answer.body ?? {};
  throw new Error(`${what} was refused: ${answer.status} ${JSON.stringify(answer.body)}`);
}
