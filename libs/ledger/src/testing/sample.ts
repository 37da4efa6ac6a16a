import { catalogSchema } from '@tallygate/contracts';
import type {
  BillingEvent,
  Catalog,
  CustomerFacts,
  MeteredEvent,
  SubscriptionFacts,
} from '@tallygate/contracts';
import { addMicros, formatInstant, MICROS, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { createHash, randomUUID } from 'node:crypto';
import type { LedgerUnderTest } from './ledger-under-test';

export function at(text: string): Instant {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new TypeError(parsed.error.fix);
  return parsed.value;
}

export const START = at('2026-03-01T00:00:00Z');
export const hours = (count: number): Instant => addMicros(START, count * MICROS.hour);

/** A tenant that sells completions from credit at 0.002 USD a token, and calls by quota. */
export const SAMPLE_CATALOG: Catalog = catalogSchema.parse({
  meters: [
    { key: 'tokens', event_type: 'llm.completion', aggregation: 'sum', value: '$.tokens' },
    { key: 'calls', event_type: 'api.call', aggregation: 'count' },
    { key: 'seats', event_type: 'seats', aggregation: 'max', value: '$.n' },
    { key: 'users', event_type: 'users', aggregation: 'unique_count', value: '$.user' },
  ],
  features: [
    { key: 'completions', kind: 'prepaid', meter: 'tokens', price: 'token_price' },
    { key: 'calls', kind: 'quota', meter: 'calls' },
    { key: 'mixed', kind: 'quota_then_prepaid', meter: 'calls', price: 'call_price' },
    { key: 'seats', kind: 'prepaid', meter: 'seats', price: 'call_price' },
    { key: 'users', kind: 'prepaid', meter: 'users', price: 'call_price' },
    { key: 'user_quota', kind: 'quota', meter: 'users' },
    { key: 'unpriced', kind: 'prepaid', meter: 'tokens', price: 'later_price' },
  ],
  prices: [
    { key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.002' },
    { key: 'call_price', unit: 'USD', model: 'per_unit', amount: '0.5' },
    { key: 'later_price', unit: 'USD', model: 'per_unit', amount: '1', match: { model: 'm1' } },
  ],
  plans: [
    { key: 'payg', features: { completions: {} } },
    { key: 'monthly', features: { calls: { included: '3' } } },
    { key: 'both', features: { mixed: { included: '2' } } },
    { key: 'team', features: { seats: {}, users: {}, user_quota: { included: '2' } } },
    { key: 'capped', features: { completions: { spend_cap: { amount: '1', per: 'day' } } } },
    { key: 'capped-more', features: { completions: { spend_cap: { amount: '3', per: 'month' } } } },
    { key: 'waiting', features: { unpriced: { spend_cap: { amount: '10', per: 'day' } } } },
  ],
});

export interface SampleTenant {
  readonly tenantId: string;
  readonly customerId: string;
}

type Facts = Partial<{ plan: string; customerId: string; now: Instant; testClock: boolean }>;

/** Tells the ledger what billing would have: a tenant, its catalog, a customer and a subscription. */
export async function introduce(ledger: LedgerUnderTest, facts: Facts = {}): Promise<SampleTenant> {
  const { plan = 'payg', customerId = randomUUID(), now = START, testClock = true } = facts;
  const tenantId = randomUUID();
  const clock = testClock ? formatInstant(now) : null;
  await tell(ledger, tenantId, now, 'tenant.changed', { tenant: tenantFacts(tenantId, clock) });
  await tell(ledger, tenantId, now, 'catalog.applied', { revision: 1, catalog: SAMPLE_CATALOG });
  await addCustomer(ledger, { tenantId, customerId }, plan, now);
  return { tenantId, customerId };
}

export async function addCustomer(
  ledger: LedgerUnderTest,
  { tenantId, customerId }: SampleTenant,
  plan: string,
  now: Instant,
): Promise<void> {
  await tell(ledger, tenantId, now, 'customer.changed', { customer: customerFacts(customerId) });
  await tell(ledger, tenantId, now, 'subscription.changed', {
    subscription: subscriptionFacts(customerId, plan, now),
  });
}

/** As the billing consumer does: the directory first, then the ledger, in one transaction. */
export async function tell<T extends BillingEvent['type']>(
  ledger: LedgerUnderTest,
  tenantId: string,
  now: Instant,
  type: T,
  data: Extract<BillingEvent, { type: T }>['data'],
): Promise<void> {
  const event = { id: randomUUID(), type, tenantId, occurredAt: formatInstant(now), data } as BillingEvent;
  const begun = await ledger.database.asWorker(async (tx) => {
    await ledger.directory.apply(tx, event);
    return ledger.facts.apply(tx, event, now);
  });
  await ledger.caps.makeUp(tenantId, begun, now);
}

export function tenantFacts(id: string, clock: string | null) {
  const settings = {
    lateness: '1h',
    dedupWindow: '35d',
    discloseBalance: false,
    disclosePrice: true,
    portalUrl: null,
    docsUrl: null,
  };
  return { id, name: 't', mode: 'test' as const, timezone: 'UTC', currency: 'USD', settings, clock };
}

export function customerFacts(id: string, changes: Partial<CustomerFacts> = {}): CustomerFacts {
  return {
    id,
    key: `c-${id.slice(0, 8)}`,
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
    version: 1,
    ...changes,
  };
}

export function subscriptionFacts(customerId: string, planKey: string, from: Instant): SubscriptionFacts {
  const terms = SAMPLE_CATALOG.plans.find((plan) => plan.key === planKey);
  if (terms === undefined) throw new RangeError(planKey);
  const start = formatInstant(from);
  return {
    id: randomUUID(),
    customerId,
    plan: planKey,
    planVersion: 1,
    terms,
    status: 'active',
    startedAt: start,
    anchor: start,
    periodIndex: 0,
    periodStart: start,
    periodEnd: formatInstant(addMicros(from, 31 * MICROS.day)),
    trialEnd: null,
    suspendAt: null,
    cancelAt: null,
    endedAt: null,
    pausedAt: null,
    incompleteReason: null,
    version: 1,
  };
}

let counted = 0;

/** An event of `tokens` completions' tokens, or one call where none are given. */
export function usageEvent(
  of: SampleTenant,
  fields: Partial<MeteredEvent> & { tokens?: string } = {},
): MeteredEvent {
  const { tokens, ...rest } = fields;
  counted += 1;
  const id = rest.id ?? `e-${counted}`;
  const reading =
    tokens === undefined
      ? { meter: 'calls', quantity: '1', group: {}, features: ['calls', 'mixed'] }
      : { meter: 'tokens', quantity: tokens, group: {}, features: ['completions'] };
  return {
    ...of,
    subject: 's',
    source: 'test',
    id,
    type: 't',
    occurredAt: START,
    receivedAt: START,
    payloadHash: createHash('sha256')
      .update(JSON.stringify([tokens ?? null, rest.occurredAt ?? START]))
      .digest('hex')
      .slice(0, 32),
    readings: [reading],
    ...rest,
  };
}

/** A correction of that event: null reverses it, else these tokens (none: one call) take the place of what it read. */
export function correctionOf(
  event: MeteredEvent,
  amended: { readonly tokens?: string; readonly readings?: MeteredEvent['readings'] } | null,
): MeteredEvent {
  const { tenantId, customerId } = event;
  const { readings } = usageEvent(
    { tenantId, customerId },
    amended?.tokens === undefined ? {} : { tokens: amended.tokens },
  );
  const kind = amended === null ? ('reversal' as const) : ('amendment' as const);
  return usageEvent(
    { tenantId, customerId },
    {
      source: 'corrections',
      readings: amended === null ? [] : (amended.readings ?? readings),
      corrects: { source: event.source, id: event.id, kind },
    },
  );
}
