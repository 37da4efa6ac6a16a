import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { hashApiKey } from '@tallygate/platform';
import { BillingWorld } from './testing/billing-world';
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
  beforeEach(() => world.ledger.forget());

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
    expect(world.ledger.asked).toEqual([]);
  });

  describe('a price row that says from when it holds', () => {
    const row = { key: 'credits', amount: '0.02', from: '2026-01-05T00:00:00Z' };

    test('is announced to the ledger with its revision, and withdrawn unless it was stated', async () => {
      const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
      expect((await tenant.post('/v1/prices', row)).status).toBe(201);
      expect(world.ledger.asked).toMatchObject([
        { tenantId: tenant.id, revision: 2, rows: [{ key: 'credits', amount: '0.02', from: row.from }] },
      ]);
      expect(world.ledger.withdrawn).toEqual([]);
      expect((await tenant.post('/v1/prices', row)).body['revision']).toBe(2);
      expect(world.ledger.asked).toHaveLength(1);
    });

    test('is announced anew when another change came between', async () => {
      const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
      world.ledger.meanwhile = async () => {
        await tenant.put('/v1/catalog', { plans: [{ key: 'basic', amount: '59' }] });
      };
      expect((await tenant.post('/v1/prices', row)).body['revision']).toBe(3);
      const [first, second] = world.ledger.asked;
      expect([first?.revision, second?.revision]).toEqual([2, 3]);
      expect(world.ledger.withdrawn).toEqual([first?.id]);
    });

    test('is refused where it would change what was charged, with what and from when; nothing is changed', async () => {
      const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
      const earliest = '2026-01-06T00:00:00Z';
      world.ledger.rated = [{ key: 'credits', from: row.from, feature: 'f', earliest }];
      const refused = await tenant.post('/v1/prices', row);
      expect(refused).toMatchObject({
        status: 409,
        body: {
          code: 'usage_rated',
          faults: [
            {
              field: 'prices.credits.from',
              value: row.from,
              problem: expect.stringContaining(earliest) as string,
            },
          ],
        },
      });
      expect((await tenant.get('/v1/catalog')).body['revision']).toBe(1);
    });

    test('cannot be asked to charge anew what was charged', async () => {
      const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
      const refused = await tenant.post('/v1/prices', { ...row, rerate: true });
      expect(refused).toMatchObject({ status: 422, body: { code: 'rerating_not_supported' } });
    });
  });

  test('amounts have nine decimals at most', async () => {
    const tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
    const refused = await tenant.post('/v1/prices', { key: 'credits', amount: '0.0000000001' });
    expect(refused).toMatchObject({ status: 422, body: { faults: [{ field: 'amount' }] } });
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
