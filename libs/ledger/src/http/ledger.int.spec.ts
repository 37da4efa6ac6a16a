import { randomUUID } from 'node:crypto';
import { encodeEvent, packUsage, TOPICS, usageIdentity } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { formatInstant, ManualClock } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import {
  createService,
  createServiceContext,
  createTestDatabase,
  InProcessEventBus,
  KeyDirectory,
  NoJobs,
  silentLog,
} from '@tallygate/platform';
import type { Principal, RunningService, ServiceContext, TestDatabase } from '@tallygate/platform';
import { LedgerModule } from '../ledger.module';
import { ledgerProvisioning } from '../provisioning';
import {
  customerFacts,
  hours,
  SAMPLE_CATALOG,
  START,
  subscriptionFacts,
  tenantFacts,
  usageEvent,
} from '../testing/sample';

const tenantId = randomUUID();
class OneTenant extends KeyDirectory {
  override async find(): Promise<Principal> {
    return { tenantId, mode: 'test', keyId: 'k', scopes: ['admin'] };
  }
}

const CONFIG = { PORT: 0, INTERNAL_SECRET: 'internal-secret-of-the-test', ROOT_KEY: 'root-key-of-the-test' };

let server: PostgresServer;
let test: TestDatabase;
let bus: InProcessEventBus;
let context: ServiceContext;
let service: RunningService;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  test = await createTestDatabase(server, [ledgerProvisioning]);
  bus = new InProcessEventBus();
  context = await createServiceContext({
    name: 'ledger',
    database: { url: test.url, roleSecret: test.roleSecret, provision: false },
    ...ledgerProvisioning,
    bus,
    queue: new NoJobs(),
    clock: new ManualClock(START),
  });
  const module = LedgerModule.register(context, { internalSecret: CONFIG.INTERNAL_SECRET });
  service = await createService(module, {
    name: 'ledger',
    config: CONFIG,
    contexts: [context],
    keyDirectory: new OneTenant(),
    log: silentLog,
    handleSignals: false,
  });
  await tell('tenant.changed', { tenant: tenantFacts(tenantId, formatInstant(START)) });
  await tell('catalog.applied', { revision: 1, catalog: SAMPLE_CATALOG });
});
afterAll(async () => {
  await service.close();
  await bus.close();
  await test.drop();
  await server.stop();
});

async function tell(type: string, data: unknown): Promise<void> {
  const event = { id: randomUUID(), type, tenantId, occurredAt: formatInstant(START), data };
  await bus.publish(TOPICS.billingEvents, [{ key: tenantId, ...encodeEvent(event) }]);
}

async function customer(plan = 'payg'): Promise<{ id: string; key: string }> {
  const id = randomUUID();
  const facts = customerFacts(id);
  await tell('customer.changed', { customer: facts });
  await tell('subscription.changed', { subscription: subscriptionFacts(id, plan, START) });
  return { id, key: facts.key };
}

async function use(customerId: string, fields: Parameters<typeof usageEvent>[1]): Promise<void> {
  const events: MeteredEvent[] = [usageEvent({ tenantId, customerId }, fields)];
  await bus.publish(TOPICS.usageMetered, [
    { key: customerId, value: packUsage(tenantId, events), headers: { tenant: tenantId } },
  ]);
}

async function call(method: string, path: string, body?: unknown, key: string = randomUUID()) {
  const response = await fetch(service.url + path, {
    method,
    headers: {
      authorization: 'Bearer tg_test_0123456789abcdef0123456789abcdef',
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function moveTo(now: Instant): Promise<void> {
  for (let due = await next(now); due !== null; due = await next(now))
    await context.participant.settle(tenantId, due);
  await context.participant.settle(tenantId, now);
}

async function next(until: Instant): Promise<Instant | null> {
  const due = await context.participant.nextDue(tenantId, await context.tenantTime.now(tenantId));
  return due !== null && due <= until ? due : null;
}

const walletOf = async (key: string, query = '') =>
  (await call('GET', `/v1/customers/${key}/wallets/USD${query}`)).body;

describe('the ledger over HTTP', () => {
  it('answers a repeated request as the first time, and refuses another body under its key', async () => {
    const { key } = await customer();
    const grant = { unit: 'USD', amount: '5', key: `g-${key}` };
    const first = await call('POST', `/v1/customers/${key}/grants`, grant, `i-${key}`);
    expect(first).toMatchObject({ status: 201, body: { amount: '5', unit: 'USD' } });
    expect(await call('POST', `/v1/customers/${key}/grants`, grant, `i-${key}`)).toEqual(first);
    const other = await call('POST', `/v1/customers/${key}/grants`, { ...grant, amount: '6' }, `i-${key}`);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    const again = await call('POST', `/v1/customers/${key}/grants`, grant);
    expect(again).toMatchObject({ status: 409, body: { code: 'grant_key_taken' } });
    expect(await walletOf(key)).toMatchObject({
      available: '5',
      grants: [{ key: `g-${key}`, status: 'active' }],
    });
  });

  it.each([
    [{ amount: '0' }, 'amount'],
    [{ amount: '1.0000000001' }, 'amount'],
    [{ amount: '5', priority: 256 }, 'priority'],
    [{ amount: '5', expires_at: formatInstant(START) }, 'expires_at'],
    [{ amount: '5', rollover: { min: '2', max: '1' }, recurrence: { every: '1mo' } }, 'rollover'],
  ])('refuses a grant with %j, naming %s', async (fields, field) => {
    const { key } = await customer();
    const answer = await call('POST', `/v1/customers/${key}/grants`, { unit: 'USD', ...fields });
    expect(answer.status).toBe(422);
    expect(answer.body['faults']).toEqual(expect.arrayContaining([expect.objectContaining({ field })]));
  });

  it('holds, captures in part, and releases the rest; usage already served goes into debt and is repaid', async () => {
    const { id, key } = await customer();
    await call('POST', `/v1/customers/${key}/grants`, { unit: 'USD', amount: '10', key: `g-${key}` });
    await call('POST', `/v1/customers/${key}/holds`, {
      unit: 'USD',
      amount: '8',
      key: `h-${key}`,
      ttl: '1h',
    });
    expect(await walletOf(key)).toMatchObject({ available: '2', held: '8' });
    const tooMuch = await call('POST', `/v1/customers/${key}/debits`, { unit: 'USD', amount: '3', key: 'd' });
    expect(tooMuch).toMatchObject({ status: 409, body: { code: 'insufficient_credit' } });
    await use(id, { tokens: '2500' });
    expect(await walletOf(key)).toMatchObject({ available: '-3', held: '8', debt: '3' });
    expect((await call('POST', `/v1/holds/h-${key}/capture`, { amount: '4' })).status).toBe(200);
    expect(await walletOf(key)).toMatchObject({ available: '1', held: '0', debt: '0' });
    expect(await call('POST', `/v1/holds/h-${key}/release`, {})).toMatchObject({ status: 409 });
    const { body } = await call('GET', `/v1/customers/${key}/wallets/USD/entries`);
    expect(
      (body['entries'] as { kind: string; amount: string }[]).map(({ kind, amount }) => [kind, amount]),
    ).toEqual([
      ['grant', '10'],
      ['hold', '-8'],
      ['usage', '-2'],
      ['debt', '-3'],
      ['capture', '0'],
      ['release', '4'],
      ['repayment', '-3'],
    ]);
    expect(body).toMatchObject({ opening: '0', closing: '1' });
  });

  it('lets credit start, recur, expire and be voided by the clock alone', async () => {
    const { key } = await customer();
    const now = await context.tenantTime.now(tenantId);
    expect(now).toBe(START);
    const grants = [
      { key: `later-${key}`, amount: '5', effective_at: formatInstant(hours(2)) },
      { key: `short-${key}`, amount: '7', expires_at: formatInstant(hours(3)) },
      { key: `daily-${key}`, amount: '2', recurrence: { every: '1d' }, rollover: { max: '1' } },
    ];
    for (const grant of grants) await call('POST', `/v1/customers/${key}/grants`, { unit: 'USD', ...grant });
    expect(await walletOf(key)).toMatchObject({ available: '9' });
    await moveTo(hours(2));
    expect(await walletOf(key)).toMatchObject({ available: '14' });
    await moveTo(hours(3));
    expect(await walletOf(key)).toMatchObject({ available: '7' });
    await moveTo(hours(4));
    await moveTo(hours(25));
    expect(await walletOf(key)).toMatchObject({
      available: '8',
      grants: [
        { key: `daily-${key}`, remaining: '3', status: 'active' },
        { key: `short-${key}`, remaining: '0', status: 'expired' },
        { key: `later-${key}`, remaining: '5', status: 'active' },
      ].sort((a, b) => (a.key.startsWith('short') ? -1 : b.key.startsWith('short') ? 1 : 0)),
    });
    expect(await call('POST', `/v1/grants/later-${key}/void`, {})).toMatchObject({ status: 200 });
    expect(await call('POST', `/v1/grants/later-${key}/void`, {})).toMatchObject({ status: 200 });
    expect(await call('POST', `/v1/grants/short-${key}/void`, {})).toMatchObject({
      status: 409,
      body: { code: 'grant_expired' },
    });
    expect(await walletOf(key)).toMatchObject({ available: '3' });
    const past = `?at=${encodeURIComponent(formatInstant(hours(2.5)))}`;
    expect(await walletOf(key, past)).toMatchObject({ available: '14' });
    const { body } = await call('GET', `/v1/customers/${key}/wallets/USD/entries`);
    const expiry = (body['entries'] as { kind: string; at: string; grant: string }[]).find(
      (row) => row.grant === `short-${key}` && row.kind === 'expiry',
    );
    expect(expiry).toMatchObject({ at: formatInstant(hours(4)), amount: '-7' });
  });

  it('answers usage by window and as one value, and knows identities', async () => {
    const { id, key } = await customer();
    const now = await context.tenantTime.now(tenantId);
    await use(id, { id: `u-${key}`, tokens: '500', occurredAt: now });
    await use(id, { tokens: '250', occurredAt: now });
    expect((await call('GET', `/v1/usage?customer=${key}&meter=tokens`)).body).toMatchObject({
      value: '750',
    });
    const rows = (await call('GET', `/v1/usage?customer=${key}&meter=tokens&window=day`)).body['rows'];
    expect(rows).toMatchObject([{ value: '750', group: {} }]);
    const booked = usageIdentity(tenantId, 'test', `u-${key}`);
    const response = await fetch(`${service.url}/internal/identities`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-tallygate-internal': CONFIG.INTERNAL_SECRET },
      body: JSON.stringify({ identities: [booked, usageIdentity(tenantId, 'test', 'none')] }),
    });
    expect(await response.json()).toMatchObject({ known: [{ identity: booked }] });
  });

  it('credits a paid top-up once, and keeps its books balanced', async () => {
    const { id, key } = await customer();
    const paid = {
      topUpId: randomUUID(),
      key: `t-${key}`,
      customerId: id,
      unit: 'USD',
      amount: '5',
      paidAt: formatInstant(START),
    };
    await tell('top_up.paid', paid);
    await tell('top_up.paid', paid);
    expect(await walletOf(key)).toMatchObject({
      available: '5',
      grants: [{ key: `t-${key}`, kind: 'paid' }],
    });
    expect((await call('GET', '/v1/journal')).body).toMatchObject({
      balanced: true,
      chain: 'valid',
      fault: null,
    });
  });
});
