import { randomUUID } from 'node:crypto';
import { catalogSchema, encodeEvent } from '@tallygate/contracts';
import type { BillingEvent, MeteredEvent } from '@tallygate/contracts';
import { SystemClock } from '@tallygate/kernel';
import type { OutgoingMessage } from '@tallygate/platform';
import { LOAD_CATALOG } from '@tallygate/testing';

const SINCE = '2026-01-01T00:00:00Z';
const UNTIL = '2096-01-01T00:00:00Z';
const CATALOG = catalogSchema.parse(LOAD_CATALOG);

/** What billing says of a live tenant and customers who buy tokens without credit, as it publishes it. */
export function billingFacts(tenantId: string, customers: readonly string[]): readonly OutgoingMessage[] {
  const say = (type: string, data: unknown): OutgoingMessage => {
    const event = { id: randomUUID(), type, tenantId, occurredAt: SINCE, data } as BillingEvent;
    return { key: tenantId, ...encodeEvent(event) };
  };
  return [
    say('tenant.changed', { tenant: tenantFacts(tenantId) }),
    say('catalog.applied', { revision: 1, catalog: CATALOG }),
    ...customers.flatMap((id) => [
      say('customer.changed', { customer: customerFacts(id) }),
      say('subscription.changed', { subscription: subscriptionFacts(id) }),
    ]),
  ];
}

/** So many events of 500 tokens, 1.00 USD each. */
export function usageOf(tenantId: string, customerId: string, count: number): readonly MeteredEvent[] {
  const now = new SystemClock().now();
  return Array.from({ length: count }, () => ({
    tenantId,
    customerId,
    subject: customerId,
    source: 'two-ledgers',
    id: randomUUID(),
    type: 'llm.completion',
    occurredAt: now,
    receivedAt: now,
    payloadHash: randomUUID().replaceAll('-', ''),
    readings: [{ meter: 'tokens', quantity: '500', group: {}, features: ['completions'] }],
  }));
}

function tenantFacts(id: string) {
  const settings = {
    lateness: '1h',
    dedupWindow: '35d',
    discloseBalance: false,
    disclosePrice: true,
    portalUrl: null,
    docsUrl: null,
  };
  return { id, name: 't', mode: 'live', timezone: 'UTC', currency: 'USD', settings, clock: null };
}

function customerFacts(id: string) {
  const nobody = { name: null, email: null, webhookUrl: null, parentId: null, payerId: null };
  return {
    id,
    key: id,
    ...nobody,
    timezone: 'UTC',
    currency: 'USD',
    subjects: [],
    apiKeys: [],
    overdraft: {},
    version: 1,
  };
}

function subscriptionFacts(customerId: string) {
  const never = {
    trialEnd: null,
    suspendAt: null,
    cancelAt: null,
    endedAt: null,
    pausedAt: null,
    incompleteReason: null,
  };
  return {
    id: randomUUID(),
    customerId,
    plan: 'poor',
    planVersion: 1,
    terms: CATALOG.plans.find(({ key }) => key === 'poor'),
    status: 'active',
    startedAt: SINCE,
    anchor: SINCE,
    periodIndex: 0,
    periodStart: SINCE,
    periodEnd: UNTIL,
    ...never,
    version: 1,
  };
}
