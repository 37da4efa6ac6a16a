import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { BillingWorld, DECLINED } from './testing/billing-world';
import { CATALOG } from './testing/catalog';

let server: PostgresServer;
let world: BillingWorld;

beforeAll(async () => {
  server = await startPostgres();
  world = await BillingWorld.open(server);
});
afterAll(async () => {
  await world?.close();
  await server?.stop();
});

describe('top-ups', () => {
  test('are charged once per key, credited once, however often the facts come', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', payment_method: 'ok' });
    const body = { unit: 'USD', amount: '5.00', key: 't1' };
    const asked = world.dunning.asked.length;
    const first = await tenant.post('/v1/customers/acme/top-ups', body, { 'idempotency-key': 't1' });
    expect(first).toMatchObject({
      status: 201,
      body: { status: 'paid', invoice: { kind: 'top_up', status: 'paid' } },
    });
    const again = await tenant.post('/v1/customers/acme/top-ups', body, { 'idempotency-key': 't1' });
    expect(again).toEqual(first);
    const other = await tenant.post(
      '/v1/customers/acme/top-ups',
      { ...body, amount: '6' },
      { 'idempotency-key': 't1' },
    );
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    const elsewhere = await tenant.post(
      '/v1/customers/acme/invoices/oldest/pay',
      {},
      { 'idempotency-key': 't1' },
    );
    expect(elsewhere.body['code']).toBe('idempotency_key_reused');
    await tenant.paid(String((await tenant.invoices('acme'))[0]?.['id']), '5');
    expect(await tenant.facts('top_up.paid')).toMatchObject([{ key: 't1', unit: 'USD', amount: '5' }]);
    expect(world.dunning.asked.length - asked).toBe(1);
    expect(world.dunning.asked.at(-1)).toMatchObject({
      through: 'api',
      method: { label: 'ok', providerRef: expect.stringMatching(/^sandbox:ok#/) },
    });
  });

  test('declined: 402 with the code, the invoice void', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme' });
    world.dunning.next = [DECLINED];
    const refused = await tenant.post('/v1/customers/acme/top-ups', { unit: 'USD', amount: '5', key: 't1' });
    expect(refused).toMatchObject({
      status: 402,
      body: { code: 'payment_declined', decline_code: 'insufficient_funds' },
    });
    expect(world.dunning.asked.at(-1)?.through).toBe('hosted');
    expect(await tenant.invoices('acme')).toMatchObject([{ status: 'void' }]);
    expect(await tenant.facts('top_up.failed')).toMatchObject([
      { key: 't1', declineCode: 'insufficient_funds' },
    ]);
  });

  test('without an outcome yet: 202, then the fact pays it', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme' });
    world.dunning.next = [{ outcome: 'unknown', attemptId: 'a1' }];
    const waiting = await tenant.post('/v1/customers/acme/top-ups', {
      unit: 'credits',
      amount: '1000',
      key: 't1',
    });
    expect(waiting).toMatchObject({
      status: 202,
      body: { status: 'pending', invoice: { total: '10', currency: 'USD' } },
    });
    await tenant.paid(String((await tenant.invoices('acme'))[0]?.['id']), '10');
    expect(await tenant.facts('top_up.paid')).toMatchObject([{ unit: 'credits', amount: '1000' }]);
  });

  test.each([
    [{ unit: 'USD', amount: '0.001' }, 'not_payable'],
    [{ unit: 'USD', amount: '-1' }, 'invalid_request'],
    [{ unit: 'USD', amount: 5 }, 'invalid_request'],
  ])('%p is refused', async (body, code) => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme' });
    const refused = await tenant.post('/v1/customers/acme/top-ups', { key: 't1', ...body });
    expect(refused).toMatchObject({ status: 422, body: { code } });
  });
});

describe('automatic top-up', () => {
  const DAY = { threshold: '10', amount: '20', cap: '40', per: 'day' };

  test('acts at once, then once per credit that showed, within the cap of its period', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', payment_method: 'ok' });
    const id = await tenant.customerId('acme');
    expect((await tenant.put('/v1/customers/acme/auto-top-up/USD', DAY)).status).toBe(200);
    const bought = async () => (await tenant.facts('top_up.paid')).map(({ amount }) => amount);
    expect(await bought()).toEqual(['20']);
    await world.sayBalance(tenant.id, id, '-1', 1);
    await tenant.post('/v1/test-clock/settle');
    expect(await bought()).toEqual(['20']);
    await world.sayBalance(tenant.id, id, '19', 2);
    await world.sayBalance(tenant.id, id, '9.999', 3);
    await world.sayBalance(tenant.id, id, '9.999', 3);
    await tenant.post('/v1/test-clock/settle');
    expect(await bought()).toEqual(['20', '20']);
    await world.sayBalance(tenant.id, id, '29', 4);
    await world.sayBalance(tenant.id, id, '0', 5);
    await tenant.advance('2026-01-01T23:59:59Z');
    expect(await bought()).toEqual(['20', '20']);
    await tenant.advance('2026-01-02T00:00:00Z');
    expect(await bought()).toEqual(['20', '20', '20']);
  });

  test('declines back off by the clock; the third opens the circuit; a paid top-up closes it', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', payment_method: 'ok' });
    world.dunning.next = [DECLINED, DECLINED, DECLINED];
    const rule = await tenant.put('/v1/customers/acme/auto-top-up/USD', { threshold: '10', amount: '20' });
    expect(rule.body).toMatchObject({ retry_at: '2026-01-01T01:00:00Z', stopped_by: null });
    await tenant.advance('2026-01-05T00:00:00Z');
    const failed = await tenant.facts('top_up.failed');
    expect(failed).toHaveLength(3);
    const invoices = await tenant.invoices('acme');
    expect(invoices.map(({ due_at }) => due_at)).toEqual([
      '2026-01-01T00:00:00Z',
      '2026-01-01T01:00:00Z',
      '2026-01-01T03:00:00Z',
    ]);
    await tenant.post('/v1/customers/acme/top-ups', { unit: 'USD', amount: '1', key: 't1' });
    await world.sayBalance(tenant.id, await tenant.customerId('acme'), '1', 1);
    await tenant.post('/v1/test-clock/settle');
    expect((await tenant.facts('top_up.paid')).map(({ amount }) => amount)).toEqual(['1', '20']);
  });
});

describe('settling invoices', () => {
  test('pay now: declined, then paid; 409 when nothing is owed or a payment is open', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic', payment_method: 'ok' });
    world.dunning.next = [DECLINED, { outcome: 'refused', code: 'payment_open' }];
    expect((await tenant.post('/v1/customers/acme/invoices/oldest/pay')).status).toBe(402);
    expect((await tenant.post('/v1/customers/acme/invoices/1/pay', { through: 'hosted' })).status).toBe(409);
    expect((await tenant.post('/v1/customers/acme/invoices/newest/pay')).body).toMatchObject({
      status: 'paid',
      due: '0',
    });
    expect((await tenant.post('/v1/customers/acme/invoices/oldest/pay')).status).toBe(409);
  });

  test('part of it another way, the rest forgiven', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic' });
    const path = '/v1/customers/acme/invoices/oldest';
    expect((await tenant.post(`${path}/external-payment`, { amount: '50' })).body['code']).toBe(
      'amount_too_large',
    );
    expect((await tenant.post(`${path}/external-payment`, { amount: '40' })).body).toMatchObject({
      status: 'open',
      due: '9',
    });
    expect((await tenant.post(`${path}/forgive`)).body).toMatchObject({ status: 'void', due: '0' });
  });

  test('a refund settles, a reopened one is owed again at its age', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic', payment_method: 'ok' });
    const path = '/v1/customers/acme/invoices/oldest';
    expect((await tenant.post(`${path}/refund`)).body['code']).toBe('nothing_captured');
    await tenant.post(`${path}/pay`);
    expect((await tenant.post(`${path}/refund`, { amount: '9' })).body).toMatchObject({
      status: 'paid',
      due: '0',
    });
    expect((await tenant.post(`${path}/refund`, { reopen: true })).body).toMatchObject({
      status: 'open',
      due: '40',
      due_at: '2026-01-01T00:00:00Z',
    });
    expect(world.dunning.refunds.map(({ amount }) => amount)).toEqual(['9', '40']);
  });

  test('a chargeback that is lost makes the invoice owed again, once', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic', payment_method: 'ok' });
    const invoiceId = String((await tenant.invoices('acme'))[0]?.['id']);
    await tenant.paid(invoiceId, '49');
    for (const state of ['open', 'lost', 'lost'] as const) {
      const data = { invoiceId, customerId: '', attemptId: 'a1', amount: '49', currency: 'USD', state };
      await world.sayDunning(tenant.id, { type: 'payment.disputed', data });
    }
    expect(await tenant.invoices('acme')).toMatchObject([
      { status: 'open', due: '49', due_at: '2026-01-01T00:00:00Z' },
    ]);
    expect((await tenant.facts('invoice.changed')).map(({ cause }) => cause)).toEqual([
      'opened',
      'paid',
      'reopened',
    ]);
  });
});
