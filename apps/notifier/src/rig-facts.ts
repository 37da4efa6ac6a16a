import type {
  BalanceFacts,
  BillingEvent,
  CollectionFacts,
  CustomerFacts,
  DunningEvent,
  InvoiceFacts,
  LedgerEvent,
  LotFacts,
  QuotaFacts,
  SubscriptionFacts,
  TenantFacts,
} from '@tallygate/contracts';

type Said<E extends { type: string }> = E extends { type: infer T; data: infer D }
  ? { readonly type: T; readonly data: D }
  : never;
/** A fact of another service, without its envelope. */
export type Fact = Said<BillingEvent> | Said<LedgerEvent> | Said<DunningEvent>;

/** A tenant in test mode whose virtual clock starts there. */
export function testTenant(id: string, clock: string): TenantFacts {
  return {
    id,
    name: 'Example <Inc>',
    mode: 'test',
    timezone: 'UTC',
    currency: 'USD',
    settings: {
      lateness: '1h',
      dedupWindow: '35d',
      discloseBalance: false,
      disclosePrice: true,
      portalUrl: 'https://portal.example/',
      docsUrl: null,
    },
    clock,
  };
}

export function acme(id: string, change: Partial<CustomerFacts> = {}): CustomerFacts {
  return {
    id,
    key: 'acme',
    name: null,
    email: 'a@acme.example',
    webhookUrl: null,
    timezone: 'UTC',
    currency: 'USD',
    subjects: [],
    apiKeys: [],
    parentId: null,
    payerId: null,
    overdraft: {},
    version: 1,
    ...change,
  };
}

export function quota(
  customerId: string,
  version: number,
  used: string,
  change: Partial<QuotaFacts> = {},
): Fact {
  const period = { periodStart: '2026-01-01T00:00:00Z', periodEnd: '2026-02-01T00:00:00Z' };
  const data = { customerId, feature: 'calls', version, used, included: '100', limit: 'hard' as const };
  return { type: 'quota.changed', data: { ...data, ...period, ...change } };
}

/** @param segments from and available */
export function balance(
  customerId: string,
  version: number,
  ...segments: readonly (readonly [from: string, available: string])[]
): Fact {
  const data: BalanceFacts = {
    customerId,
    unit: 'USD',
    version,
    debt: '0',
    segments: segments.map(([from, available]) => ({
      from,
      available,
      held: '0',
      byFeature: {},
      expired: false,
    })),
  };
  return { type: 'balance.changed', data };
}

export function lot(customerId: string, version: number, change: Partial<LotFacts> = {}): Fact {
  const grant = { grantId: '00000000-0000-7000-8000-000000000001', grantKey: 'welcome', unit: 'USD' };
  const left = { expiresAt: '2026-01-31T00:00:00Z', remaining: '5', status: 'active' as const };
  return { type: 'lot.changed', data: { customerId, version, ...grant, ...left, ...change } };
}

export function collection(
  customerId: string,
  version: number,
  state: CollectionFacts['state'],
  anchor: string | null,
  suspendAt: string | null = null,
): Fact {
  const rest = { finalAction: null, downgradeTo: null, unpaidInvoiceIds: [] };
  return { type: 'collection.changed', data: { customerId, version, state, anchor, suspendAt, ...rest } };
}

export function scheduled(customerId: string, anchor: string, suspendAt: string): Fact {
  return {
    type: 'suspension.scheduled',
    data: { customerId, suspendAt, amountDue: '10', currency: 'USD', anchor },
  };
}

export function subscription(
  customerId: string,
  version: number,
  change: Partial<SubscriptionFacts> = {},
): Fact {
  const plan = { key: 'monthly', amount: '10', currency: 'USD' } as SubscriptionFacts['terms'];
  const facts: SubscriptionFacts = {
    id: '00000000-0000-7000-8000-00000000000a',
    customerId,
    plan: 'monthly',
    planVersion: 1,
    terms: plan,
    status: 'active',
    startedAt: '2026-01-01T00:00:00Z',
    anchor: '2026-01-01T00:00:00Z',
    periodIndex: 0,
    periodStart: '2026-01-01T00:00:00Z',
    periodEnd: '2026-02-01T00:00:00Z',
    trialEnd: null,
    suspendAt: null,
    cancelAt: null,
    endedAt: null,
    pausedAt: null,
    incompleteReason: null,
    version,
    ...change,
  };
  return { type: 'subscription.changed', data: { subscription: facts } };
}

export function invoice(customerId: string, id: string, number: number, cause: 'opened' | 'paid'): Fact {
  const facts: InvoiceFacts = {
    id,
    number,
    customerId,
    payerId: customerId,
    kind: 'subscription',
    currency: 'USD',
    total: '10',
    due: cause === 'paid' ? '0' : '10',
    anchor: '2026-01-01T00:00:00Z',
    status: cause === 'paid' ? 'paid' : 'open',
    subscriptionId: null,
    dunningPolicy: null,
    interval: 'month',
    version: cause === 'paid' ? 2 : 1,
  };
  return { type: 'invoice.changed', data: { invoice: facts, cause } };
}

export function failed(customerId: string, invoiceId: string, attemptId: string, firstOfRun = true): Fact {
  const decline = { declineClass: 'funds' as const, declineCode: 'insufficient_funds' };
  const data = { invoiceId, customerId, attemptId, amount: '10', currency: 'USD', nextAttemptAt: null };
  return { type: 'payment.failed', data: { ...data, ...decline, firstOfRun } };
}
