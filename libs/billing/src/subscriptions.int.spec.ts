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

describe('a subscription', () => {
  test('renews over month ends in the customer\u2019s zone, one invoice per period, none twice', async () => {
    const tenant = await world.tenant('2026-01-30T23:00:00Z', CATALOG, { timezone: 'Europe/Berlin' });
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic', payment_method: { set: 'ok' } });
    const walked = await tenant.advance('2026-05-01T00:00:00Z');
    expect(walked).toMatchObject({ status: 200, body: { now: '2026-05-01T00:00:00Z', visited: 4 } });
    const invoices = await tenant.invoices('acme');
    expect(invoices.map(({ number, due_at, total }) => [number, due_at, total])).toEqual([
      [1, '2026-01-30T23:00:00Z', '49'],
      [2, '2026-02-27T23:00:00Z', '49'],
      [3, '2026-03-30T22:00:00Z', '49'],
      [4, '2026-04-29T22:00:00Z', '49'],
    ]);
    expect(invoices[0]?.['lines']).toEqual([
      { amount: '49', description: 'Plan basic, 2026-01-31 to 2026-02-28' },
    ]);
    expect(await tenant.subscription('acme')).toMatchObject({
      status: 'active',
      period_start: '2026-04-29T22:00:00Z',
      period_end: '2026-05-30T22:00:00Z',
    });
    const opened = await tenant.facts('invoice.changed');
    expect(opened.map(({ cause, invoice }) => [cause, invoice.anchor])).toHaveLength(4);
  });

  test('a second one is refused; a plan that changed in the catalog does not change it', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic' });
    expect(await tenant.post('/v1/customers/acme/subscription', { plan: 'pro' })).toMatchObject({
      status: 409,
      body: { code: 'subscription_exists' },
    });
    await tenant.put('/v1/catalog', { plans: [{ key: 'basic', amount: '59' }] });
    await tenant.advance('2026-02-01T00:00:00Z');
    expect((await tenant.invoices('acme')).map(({ total }) => total)).toEqual(['49', '49']);
  });

  test('a duplicate of a payment pays once; the invoice leaves paid no more', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic' });
    const [invoice] = await tenant.invoices('acme');
    const id = String(invoice?.['id']);
    await tenant.paid(id, '49');
    await tenant.paid(id, '49');
    await world.sayDunning(tenant.id, {
      type: 'payment.failed',
      data: {
        invoiceId: id,
        customerId: '',
        attemptId: 'a2',
        declineClass: 'funds',
        declineCode: 'x',
        amount: '49',
        currency: 'USD',
        nextAttemptAt: null,
        firstOfRun: true,
      },
    });
    expect(await tenant.invoices('acme')).toMatchObject([{ status: 'paid', due: '0' }]);
    expect((await tenant.facts('invoice.changed')).map(({ cause }) => cause)).toEqual(['opened', 'paid']);
    expect((await tenant.post('/v1/customers/acme/invoices/oldest/pay')).body['code']).toBe('nothing_owed');
  });

  test('a gated one waits for its payment, then begins with it', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'gated' });
    expect(await tenant.subscription('acme')).toMatchObject({
      status: 'incomplete',
      incomplete_reason: 'method',
    });
    await tenant.put('/v1/customers/acme/payment-method', { set: 'ok' });
    expect(await tenant.subscription('acme')).toMatchObject({
      status: 'incomplete',
      incomplete_reason: 'payment',
    });
    await tenant.advance('2026-01-01T06:00:00Z');
    await tenant.paid(String((await tenant.invoices('acme'))[0]?.['id']), '49');
    expect(await tenant.subscription('acme')).toMatchObject({
      status: 'active',
      period_start: '2026-01-01T06:00:00Z',
    });
  });

  test('a gated one that is not paid ends after 48 hours with its invoice void', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'gated' });
    await tenant.advance('2026-01-03T00:00:00Z');
    expect(await tenant.subscription('acme')).toMatchObject({
      status: 'canceled',
      ended_at: '2026-01-03T00:00:00Z',
    });
    expect(await tenant.invoices('acme')).toMatchObject([{ status: 'void', due: '0' }]);
    expect((await tenant.post('/v1/customers/acme/subscription', { plan: 'basic' })).status).toBe(201);
  });

  test('approval begins it; a feature is approved apart', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'by_hand' });
    expect(await tenant.invoices('acme')).toEqual([]);
    await tenant.advance('2026-01-05T00:00:00Z');
    expect((await tenant.post('/v1/customers/acme/subscription/approve')).body).toMatchObject({
      status: 'active',
      period_start: '2026-01-05T00:00:00Z',
    });
    const feature = await tenant.post('/v1/customers/acme/subscription/approve', { feature: 'seats' });
    expect(feature.body['approvals']).toEqual({ seats: 'approved' });
    expect((await tenant.post('/v1/customers/acme/subscription/approve')).status).toBe(409);
  });

  test('suspension rests the invoices; service that resumes is invoiced for what is left', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic' });
    const id = await tenant.customerId('acme');
    await tenant.stands(id, 'suspended', { suspendAt: '2026-01-15T00:00:00Z' });
    expect(await tenant.subscription('acme')).toMatchObject({
      status: 'suspended',
      suspend_at: '2026-01-15T00:00:00Z',
    });
    await tenant.advance('2026-02-15T00:00:00Z');
    await tenant.stands(id, 'current');
    expect((await tenant.invoices('acme')).map(({ total, due_at }) => [total, due_at])).toEqual([
      ['49', '2026-01-01T00:00:00Z'],
      ['24.5', '2026-02-15T00:00:00Z'],
    ]);
  });

  test('news from dunning in any order and any number of times end in the latest', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic' });
    const id = await tenant.customerId('acme');
    await tenant.stands(id, 'warned', { version: 3 });
    await tenant.stands(id, 'grace', { version: 2 });
    await tenant.stands(id, 'warned', { version: 3 });
    expect(await tenant.subscription('acme')).toMatchObject({ status: 'warned' });
    const statuses = (await tenant.facts('subscription.changed')).map(
      ({ subscription }) => subscription.status,
    );
    expect(statuses).toEqual(['active', 'warned']);
  });

  test('the final action downgrades to the free tier, from which a plan is bought', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic', payment_method: { set: 'ok' } });
    await tenant.stands(await tenant.customerId('acme'), 'ended', {
      finalAction: 'downgrade',
      downgradeTo: 'free',
    });
    expect(await tenant.subscription('acme')).toMatchObject({ status: 'free_tier', plan: 'free' });
    await tenant.advance('2026-02-03T00:00:00Z');
    expect(await tenant.invoices('acme')).toHaveLength(1);
    const bought = await tenant.post('/v1/customers/acme/subscription/change', { plan: 'pro' });
    expect(bought).toMatchObject({
      status: 200,
      body: { status: 'active', plan: 'pro', period_start: '2026-02-03T00:00:00Z' },
    });
    expect(
      (await tenant.invoices('acme')).map(({ status, total, number }) => [number, status, total]),
    ).toEqual([
      [1, 'open', '49'],
      [2, 'paid', '98'],
    ]);
  });

  test('an account written off opens again when everything is paid', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic' });
    const off = await tenant.post('/v1/customers/acme/invoices/oldest/write-off');
    expect(off).toMatchObject({ status: 200, body: { status: 'uncollectible', due: '49' } });
    expect(await tenant.subscription('acme')).toMatchObject({ status: 'written_off' });
    await tenant.post('/v1/customers/acme/invoices/oldest/forgive');
    expect(await tenant.subscription('acme')).toMatchObject({ status: 'canceled' });
  });

  test('a child\u2019s plan is an invoice on its payer, whose standing it shares', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'head', payment_method: 'ok' });
    await tenant.post('/v1/customers', { key: 'child', parent: 'head', payer: 'head', plan: 'basic' });
    expect(await tenant.invoices('head')).toHaveLength(1);
    await tenant.stands(await tenant.customerId('head'), 'grace');
    expect(await tenant.subscription('child')).toMatchObject({ status: 'grace' });
    expect((await tenant.post('/v1/customers', { key: 'third', payer: 'child' })).body['code']).toBe(
      'payer_chain',
    );
  });

  test('a coupon takes its share for its periods', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme' });
    await tenant.post('/v1/customers/acme/subscription', { plan: 'basic', coupon: 'half' });
    await tenant.advance('2026-03-01T00:00:00Z');
    expect((await tenant.invoices('acme')).map(({ total }) => total)).toEqual(['24.5', '24.5', '49']);
  });
});

describe('changing the plan', () => {
  test('declined: 402, the old plan, no invoice; then paid: the difference, once', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic', payment_method: 'ok' });
    await tenant.advance('2026-01-16T12:00:00Z');
    world.dunning.next = [DECLINED];
    const declined = await tenant.post('/v1/customers/acme/subscription/change', { plan: 'pro' });
    expect(declined).toMatchObject({
      status: 402,
      body: { code: 'payment_declined', decline_code: 'insufficient_funds' },
    });
    expect(await tenant.subscription('acme')).toMatchObject({ plan: 'basic', next_plan: null });
    expect(await tenant.invoices('acme')).toHaveLength(1);
    const paid = await tenant.post('/v1/customers/acme/subscription/change', { plan: 'pro' });
    expect(paid).toMatchObject({ status: 200, body: { plan: 'pro', period_end: '2026-02-01T00:00:00Z' } });
    expect((await tenant.invoices('acme')).map(({ number, total }) => [number, total])).toEqual([
      [1, '49'],
      [2, '24.5'],
    ]);
  });

  test('a downgrade waits for the end of the period; refused while warned', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'pro' });
    const noted = await tenant.post('/v1/customers/acme/subscription/change', { plan: 'basic' });
    expect(noted.body).toMatchObject({ plan: 'pro', next_plan: { plan: 'basic', at: 'period_end' } });
    await tenant.advance('2026-02-01T00:00:00Z');
    expect(await tenant.subscription('acme')).toMatchObject({ plan: 'basic' });
    await tenant.stands(await tenant.customerId('acme'), 'warned');
    expect(await tenant.post('/v1/customers/acme/subscription/change', { plan: 'free' })).toMatchObject({
      status: 402,
      body: { code: 'PAYMENT_PAST_DUE' },
    });
  });
});
