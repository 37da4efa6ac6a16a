import { createHash } from 'node:crypto';
import { catalogSchema } from '@tallygate/contracts';
import type {
  BillingEvent,
  CollectionFacts,
  CustomerFacts,
  DunningEvent,
  LedgerEvent,
  QuotaFacts,
  SubscriptionFacts,
} from '@tallygate/contracts';

/** A provider as its own services would describe it: what the other services publish. */
export class Provider {
  private version = 0;

  constructor(readonly tenantId: string) {}

  tenant(clock: string | null = null): BillingEvent {
    const settings = {
      lateness: '1h',
      dedupWindow: '35d',
      discloseBalance: true,
      disclosePrice: true,
      portalUrl: 'https://portal.example',
      docsUrl: 'https://docs.example',
    };
    const mode = clock === null ? ('live' as const) : ('test' as const);
    const tenant = {
      id: this.tenantId,
      name: 'Acme',
      mode,
      timezone: 'UTC',
      currency: 'USD',
      settings,
      clock,
    };
    return this.event('tenant.changed', { tenant });
  }

  catalog(): BillingEvent {
    const catalog = catalogSchema.parse({
      meters: [{ key: 'tokens', event_type: 'llm', aggregation: 'sum', value: '$.tokens' }],
      features: [
        { key: 'completions', kind: 'prepaid', meter: 'tokens', price: 'token_price' },
        { key: 'calls', kind: 'quota' },
      ],
      prices: [{ key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.002' }],
      plans: [{ key: 'payg', features: { completions: {}, calls: { included: '10' } } }],
    });
    return this.event('catalog.applied', { revision: this.next(), catalog });
  }

  customer(name: string, changes: Partial<CustomerFacts> = {}): BillingEvent {
    const customer: CustomerFacts = {
      id: idOf(this.tenantId, name),
      key: name,
      name: null,
      email: null,
      webhookUrl: null,
      timezone: 'UTC',
      currency: 'USD',
      subjects: [`${name}-1`],
      apiKeys: [{ id: `k-${name}`, hash: hashOf(name), subject: null, expiresAt: null, revokedAt: null }],
      parentId: null,
      payerId: null,
      overdraft: {},
      version: this.next(),
      ...changes,
    };
    return this.event('customer.changed', { customer });
  }

  subscription(name: string, changes: Partial<SubscriptionFacts> = {}): BillingEvent {
    const terms = catalogSchema.parse({
      plans: [{ key: 'payg', features: { completions: {}, calls: { included: '10' } } }],
    }).plans[0];
    if (terms === undefined) throw new Error('one plan went in');
    const subscription: SubscriptionFacts = {
      id: idOf(this.tenantId, `subscription of ${name}`),
      customerId: idOf(this.tenantId, name),
      plan: 'payg',
      planVersion: 1,
      terms,
      status: 'active',
      startedAt: '2026-03-01T00:00:00Z',
      anchor: '2026-03-01T00:00:00Z',
      periodIndex: 0,
      periodStart: '2026-03-01T00:00:00Z',
      periodEnd: '2126-04-01T00:00:00Z',
      trialEnd: null,
      suspendAt: null,
      cancelAt: null,
      endedAt: null,
      pausedAt: null,
      incompleteReason: null,
      version: this.next(),
      ...changes,
    };
    return this.event('subscription.changed', { subscription });
  }

  balance(name: string, available: string, version = this.next()): LedgerEvent {
    const segment = { from: '2026-01-01T00:00:00Z', available, held: '0', byFeature: {}, expired: false };
    return this.event('balance.changed', {
      customerId: idOf(this.tenantId, name),
      unit: 'USD',
      version,
      debt: '0',
      segments: [segment],
    });
  }

  quota(name: string, used: string): LedgerEvent {
    const quota: QuotaFacts = {
      customerId: idOf(this.tenantId, name),
      feature: 'calls',
      version: this.next(),
      periodStart: '2026-03-01T00:00:00Z',
      periodEnd: '2126-04-01T00:00:00Z',
      used,
      included: '10',
      limit: 'hard',
    };
    return this.event('quota.changed', quota);
  }

  spend(name: string, per: 'day' | 'month', spent: string, cap: string): LedgerEvent {
    return this.event('spend.changed', {
      customerId: idOf(this.tenantId, name),
      feature: 'completions',
      version: this.next(),
      per,
      unit: 'USD',
      periodStart: '2026-03-01T00:00:00Z',
      periodEnd: '2126-04-01T00:00:00Z',
      spent,
      cap,
    });
  }

  collection(name: string, state: CollectionFacts['state']): DunningEvent {
    return this.event('collection.changed', {
      customerId: idOf(this.tenantId, name),
      state,
      anchor: null,
      suspendAt: null,
      finalAction: null,
      downgradeTo: null,
      unpaidInvoiceIds: [],
      version: this.next(),
    });
  }

  private event<T extends string, D>(type: T, data: D) {
    const id = `${this.tenantId}-${this.next()}`;
    return { id, type, tenantId: this.tenantId, occurredAt: '2026-03-01T00:00:00Z', data };
  }

  private next(): number {
    this.version += 1;
    return this.version;
  }
}

/** The consumer credential of a customer is its name. */
export function hashOf(credential: string): string {
  return createHash('sha256').update(credential).digest('hex');
}

export function idOf(tenantId: string, name: string): string {
  const hex = createHash('sha256').update(`${tenantId} ${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
