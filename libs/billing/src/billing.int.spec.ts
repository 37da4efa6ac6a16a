import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { hashApiKey } from '@tallygate/platform';
import { BillingWorld, DECLINED } from './testing/billing-world';

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

const CATALOG = {
  meters: [{ key: 'calls', event_type: 'api.call', aggregation: 'count' }],
  features: [
    { key: 'api', kind: 'quota', meter: 'calls' },
    { key: 'seats', kind: 'static', requires_approval: true },
  ],
  prices: [{ key: 'credits', unit: 'USD', model: 'per_unit', amount: '0.01' }],
  plans: [
    { key: 'basic', amount: '49', features: { api: { included: '10000' } } },
    { key: 'pro', amount: '98', features: { api: { included: '50000' } } },
    { key: 'gated', amount: '49', first_payment: 'gate' },
    { key: 'free', amount: '0', features: { api: { included: '10' } } },
    { key: 'by_hand', amount: '49', requires_approval: true },
  ],
  dunning_policies: [{ key: 'soft', final_action: 'downgrade', downgrade_to: 'free' }],
  coupons: [{ key: 'half', percent: '50', periods: 2 }],
};

describe('tenants and keys', () => {
  test('a tenant is made with the root key only, and its key is shown once', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z');
    expect((await world.call('POST', '/v1/tenants', { name: 'x' }, tenant.key)).status).toBe(403);
    expect(tenant.key).toMatch(/^tg_test_/);
    expect((await tenant.get('/v1/tenant')).body).toMatchObject({
      id: tenant.id,
      mode: 'test',
      currency: 'USD',
    });
    expect(JSON.stringify((await tenant.get('/v1/audit')).body)).not.toContain(tenant.key);
    expect(await tenant.facts('tenant.changed')).toHaveLength(1);
  });

  test('only a test tenant has a virtual clock', async () => {
    const refused = await world.call('POST', '/v1/tenants', {
      name: 'x',
      mode: 'live',
      clock: '2026-01-01T00:00:00Z',
    });
    expect(refused.status).toBe(422);
    expect(refused.body['faults']).toEqual([expect.objectContaining({ field: 'clock' })]);
    const live = await world.call('POST', '/v1/tenants', { name: 'x', mode: 'live' });
    expect(String(live.body['api_key'])).toMatch(/^tg_live_/);
    const advanced = await world.call(
      'POST',
      '/v1/test-clock/advance',
      { to: '2030-01-01T00:00:00Z' },
      String(live.body['api_key']),
    );
    expect(advanced).toMatchObject({ status: 409, body: { code: 'no_test_clock' } });
  });

  test('a key does what its scopes say, until it is revoked', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z');
    const { body } = await tenant.post('/v1/api-keys', { scopes: ['read'] });
    const key = String(body['api_key']);
    expect((await world.call('GET', '/v1/customers', undefined, key)).status).toBe(200);
    expect((await world.call('POST', '/v1/customers', { key: 'a' }, key)).status).toBe(403);
    expect((await world.call('POST', '/v1/api-keys', { scopes: ['admin'] }, key)).status).toBe(403);
    expect((await tenant.delete(`/v1/api-keys/${String(body['id'])}`)).status).toBe(200);
    expect((await world.call('GET', '/v1/customers', undefined, key)).status).toBe(401);
  });

  test('introspection answers for a hash, with the internal secret', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z');
    const hash = hashApiKey(tenant.key);
    const known = await world.call('POST', '/internal/api-keys/introspect', { hash });
    expect(known.body['principal']).toMatchObject({ tenantId: tenant.id, mode: 'test', scopes: ['admin'] });
    const unknown = await world.call('POST', '/internal/api-keys/introspect', {
      hash: hash.replace(/./g, '0'),
    });
    expect(unknown.body).toEqual({ principal: null });
    const outsider = await world.call('POST', '/internal/api-keys/introspect', { hash }, '', {
      'x-tallygate-internal': 'wrong',
    });
    expect(outsider.status).toBe(401);
  });

  test('one tenant sees nothing of another', async () => {
    const [one, two] = [
      await world.tenant('2026-01-01T00:00:00Z'),
      await world.tenant('2026-01-01T00:00:00Z'),
    ];
    await one.post('/v1/customers', { key: 'acme', subjects: ['s1'], api_keys: ['same'] });
    expect((await two.get('/v1/customers/acme')).status).toBe(404);
    expect(
      (await two.post('/v1/customers', { key: 'acme', subjects: ['s1'], api_keys: ['same'] })).status,
    ).toBe(201);
    const seen = await world.context.database.asTenant(one.id, (tx) =>
      tx.query('select tenant_id from customer'),
    );
    expect(seen.rows.map((row) => row['tenant_id'])).toEqual([one.id]);
  });
});

describe('the catalog', () => {
  test('is merged by key, versions changed plans, and is stated whole', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    expect((await tenant.put('/v1/catalog', CATALOG)).body['revision']).toBe(1);
    const changed = await tenant.put('/v1/catalog', { plans: [{ key: 'basic', amount: '59' }] });
    expect(changed.body['revision']).toBe(2);
    const facts = await tenant.facts('catalog.applied');
    expect(facts.map((fact) => fact.revision)).toEqual([1, 2]);
    const plans = facts[1]?.catalog.plans.map(({ key, version, amount }) => `${key} v${version} ${amount}`);
    expect(plans).toEqual(['basic v2 59', 'pro v1 98', 'gated v1 49', 'free v1 0', 'by_hand v1 49']);
  });

  test('a document with faults names them all and changes nothing', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z');
    const refused = await tenant.put('/v1/catalog', {
      meters: [{ key: 'low', event_type: 'x', aggregation: 'min', value: '$.v' }],
      features: [
        { key: 'a', kind: 'prepaid', meter: 'low', price: 'none' },
        { key: 'q', kind: 'quota', meter: 'gone' },
      ],
      prices: [
        {
          key: 'p',
          unit: 'USD',
          model: 'graduated',
          tiers: [
            { up_to: '10', amount: '1' },
            { up_to: '5', amount: '1' },
          ],
        },
      ],
      plans: [{ key: 'one', dunning: 'none', features: { q: {}, ghost: {} } }],
      dunning_policies: [{ key: 'd', warn: '20d', final_action: 'downgrade', downgrade_to: 'nowhere' }],
    });
    expect(refused.status).toBe(422);
    expect((refused.body['faults'] as unknown as { field: string }[]).map(({ field }) => field)).toEqual([
      'features.a.price',
      'features.a.meter',
      'features.q.meter',
      'prices.p.tiers[1].up_to',
      'prices.p.tiers[1].up_to',
      'plans.one.features.q.included',
      'plans.one.features.ghost',
      'plans.one.dunning',
      'dunning_policies.d.suspend',
      'dunning_policies.d.downgrade_to',
    ]);
    expect((await tenant.get('/v1/catalog')).body['revision']).toBe(1);
  });

  test('is taken as YAML too', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z');
    const yaml = 'plans:\n  - {key: on, amount: "5"}\n';
    const applied = await tenant.put('/v1/catalog', yaml, { 'content-type': 'application/yaml' });
    expect(applied.body['catalog']).toMatchObject({ plans: [{ key: 'on', amount: '5' }] });
    expect((await tenant.put('/v1/catalog', 'a: [', { 'content-type': 'application/yaml' })).status).toBe(
      400,
    );
  });

  test('a price is appended from now, as the row in force where it says nothing', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    const appended = await tenant.post('/v1/prices', { key: 'credits', amount: '0.02' });
    expect(appended.status).toBe(201);
    expect(appended.body['catalog']).toMatchObject({
      prices: [
        { amount: '0.01' },
        { key: 'credits', unit: 'USD', model: 'per_unit', amount: '0.02', from: '2026-01-01T00:00:00Z' },
      ],
    });
    expect((await tenant.post('/v1/prices', { key: 'new', amount: '1' })).status).toBe(422);
  });
});

describe('customers', () => {
  test('subjects and keys are unique; a made key is shown once; only hashes travel', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    const made = await tenant.post('/v1/customers', { key: 'acme', subjects: ['s1'] });
    expect(made.body['api_keys']).toEqual([
      expect.objectContaining({ key: expect.stringMatching(/^tgc_/) as string }),
    ]);
    const taken = await tenant.post('/v1/customers', { key: 'other', subjects: ['s1'] });
    expect(taken).toMatchObject({ status: 409, body: { code: 'taken', what: ['subject s1'] } });
    expect((await tenant.post('/v1/customers', { key: 'acme' })).status).toBe(409);
    const set = await tenant.put('/v1/customers/acme/api-keys', {
      api_keys: ['k1', { key: 'k2', revoked_at: '2026-02-01T00:00:00Z' }],
    });
    expect(set.body['api_keys']).toMatchObject([
      { revoked_at: null },
      { revoked_at: '2026-02-01T00:00:00Z' },
    ]);
    const facts = await tenant.facts('customer.changed');
    expect(facts.at(-1)?.customer.apiKeys.map((key) => key.hash)).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
    expect(facts.map((fact) => fact.customer.version)).toEqual([1, 2]);
  });

  test('faults are named; a card number is refused', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    const refused = await tenant.post('/v1/customers', { key: '-', timezone: 'Mars/Base', colour: 'red' });
    expect(
      (refused.body['faults'] as unknown as { field: string }[]).map(({ field }) => field).sort(),
    ).toEqual(['colour', 'key', 'timezone']);
    expect((await tenant.post('/v1/customers', { key: 'acme', plan: 'ghost' })).body['code']).toBe(
      'unknown_plan',
    );
    expect((await tenant.get('/v1/customers/acme')).status).toBe(404);
    await tenant.post('/v1/customers', { key: 'acme' });
    expect(
      (await tenant.put('/v1/customers/acme/payment-method', { set: '4242 4242 4242 4242' })).status,
    ).toBe(422);
  });

  test('an override ends by itself at its instant', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme' });
    await tenant.put('/v1/customers/acme/override', {
      state: 'allow',
      until: '2026-01-02T00:00:00Z',
      author: 'ann',
      reason: 'outage',
    });
    await tenant.put('/v1/customers/acme/review', { state: 'open' });
    expect((await tenant.advance('2026-01-03T00:00:00Z')).body).toMatchObject({ visited: 2 });
    const flags = await tenant.facts('customer.flags_changed');
    expect(flags.map(({ override, underReview }) => [override?.author ?? null, underReview])).toEqual([
      ['ann', false],
      ['ann', true],
      [null, true],
    ]);
  });
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
      method: { label: 'ok', providerRef: 'sandbox:ok' },
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
});

describe('the test clock', () => {
  test('stops at every due instant, the target included, and never goes back', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    expect((await tenant.post('/v1/test-clock/settle')).body).toEqual({
      now: '2026-01-01T00:00:00Z',
      visited: 0,
    });
    expect((await tenant.advance('2026-01-02T00:00:00.000001Z')).body).toMatchObject({ visited: 1 });
    expect((await tenant.get('/v1/test-clock')).body).toEqual({ now: '2026-01-02T00:00:00.000001Z' });
    const back = await tenant.advance('2026-01-02T00:00:00Z');
    expect(back).toMatchObject({ status: 422, body: { faults: [{ field: 'to' }] } });
  });

  test('is moved by one at a time; each tenant has its own', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    const other = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    await tenant.post('/v1/customers', { key: 'acme', plan: 'basic' });
    const both = await Promise.all([
      tenant.advance('2030-01-01T00:00:00Z'),
      tenant.advance('2030-01-01T00:00:00Z'),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await tenant.invoices('acme')).toHaveLength(49);
    expect((await other.get('/v1/test-clock')).body).toEqual({ now: '2026-01-01T00:00:00Z' });
  });
});
