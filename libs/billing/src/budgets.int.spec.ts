import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { BillingWorld } from './testing/billing-world';
import type { TenantHand } from './testing/billing-world';

const CATALOG = {
  meters: [{ key: 'tokens', event_type: 'llm', aggregation: 'sum', value: '$.tokens' }],
  features: [
    { key: 'completions', kind: 'prepaid', meter: 'tokens', price: 'token_price' },
    { key: 'images', kind: 'prepaid', meter: 'tokens', price: 'token_price' },
    { key: 'mixed', kind: 'prepaid', meter: 'tokens', price: 'two_units' },
    { key: 'calls', kind: 'quota', meter: 'tokens' },
  ],
  prices: [
    { key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.01' },
    { key: 'two_units', unit: 'USD', model: 'per_unit', amount: '0.01' },
    { key: 'two_units', unit: 'credits', model: 'per_unit', amount: '1', match: { model: 'm1' } },
  ],
  plans: [{ key: 'payg', features: { completions: {} } }],
};

let server: PostgresServer;
let world: BillingWorld;
let tenant: TenantHand;

beforeAll(async () => {
  server = await startPostgres();
  world = await BillingWorld.open(server);
});
afterAll(async () => {
  await world?.close();
  await server?.stop();
});
beforeEach(async () => {
  tenant = await world.tenant('2026-01-01T00:00:00Z', CATALOG);
  await tenant.post('/v1/customers', { key: 'acme', subjects: ['acme-1'] });
});

const OF_ACME = '/v1/customers/acme/budgets';

describe('budgets', () => {
  test('are set, replaced, listed in order and removed; each change is stated and audited', async () => {
    const images = await tenant.put(`${OF_ACME}/images`, { month: '100.50' });
    expect(images).toEqual({
      status: 200,
      body: { customer: 'acme', feature: 'images', day: null, month: '100.5' },
    });
    await tenant.put(`${OF_ACME}/completions`, { day: '5', month: '9' });
    await tenant.put(`${OF_ACME}/completions`, { day: '0', month: null });
    const completions = { feature: 'completions', day: '0', month: null };
    expect((await tenant.get(OF_ACME)).body).toEqual({
      customer: 'acme',
      budgets: [completions, { feature: 'images', day: null, month: '100.5' }],
    });
    expect((await tenant.get(`${OF_ACME}/completions`)).body).toEqual({ customer: 'acme', ...completions });
    expect((await tenant.delete(`${OF_ACME}/images`)).body).toEqual({
      customer: 'acme',
      feature: 'images',
      removed: true,
    });
    const stated = (await tenant.facts('customer.changed')).map(({ customer }) => customer);
    expect(stated.map(({ budgets }) => budgets?.map(({ feature }) => feature))).toEqual([
      undefined,
      ['images'],
      ['completions', 'images'],
      ['completions', 'images'],
      ['completions'],
    ]);
    expect(stated.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
    const audit = (await tenant.get('/v1/audit')).body['entries'] as unknown as {
      action: string;
      detail: unknown;
    }[];
    expect(audit.filter(({ action }) => action.startsWith('budget.')).map(({ detail }) => detail)).toEqual(
      expect.arrayContaining([{ feature: 'images', day: null, month: '100.5' }, { feature: 'images' }]),
    );
  });

  test('stay when the customer, its keys or its plan change, and are of one customer only', async () => {
    await tenant.post('/v1/customers', { key: 'beta', plan: 'payg' });
    await tenant.put(`${OF_ACME}/completions`, { day: '5' });
    await tenant.patch('/v1/customers/acme', { name: 'Acme' });
    await tenant.put('/v1/customers/acme/api-keys', { api_keys: ['secret-1'] });
    await tenant.post('/v1/customers/acme/subscription', { plan: 'payg' });
    expect((await tenant.get(`${OF_ACME}/completions`)).body).toMatchObject({ day: '5' });
    expect((await tenant.get('/v1/customers/beta/budgets')).body).toEqual({ customer: 'beta', budgets: [] });
    const last = (await tenant.facts('customer.changed')).at(-1)?.customer;
    expect(last).toMatchObject({ key: 'acme', budgets: [{ feature: 'completions', day: '5', month: null }] });
  });

  test.each([
    ['completions', { day: '-1' }, 'day'],
    ['completions', { month: '0.0000000001' }, 'month'],
    ['completions', { day: 5 }, 'day'],
    ['completions', {}, 'day'],
    ['completions', { day: null, month: null }, 'day'],
    ['completions', { day: '1', week: '2' }, 'week'],
    ['unheard', { day: '1' }, 'feature'],
    ['calls', { day: '1' }, 'feature'],
    ['mixed', { day: '1' }, 'feature'],
  ])('of %s as %j is refused, naming %s and what mends it', async (feature, body, field) => {
    const refused = await tenant.put(`${OF_ACME}/${feature}`, body);
    expect(refused).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
    const faults = refused.body['faults'] as unknown as { field: string; fix: string }[];
    expect(faults).toMatchObject([{ field }]);
    expect(faults[0]?.fix).toBeTruthy();
    expect((await tenant.get(OF_ACME)).body['budgets']).toEqual([]);
  });

  test('of nobody, or that were never set, are not found', async () => {
    expect((await tenant.put('/v1/customers/nobody/budgets/completions', { day: '1' })).status).toBe(404);
    expect((await tenant.get('/v1/customers/nobody/budgets')).status).toBe(404);
    expect((await tenant.get('/v1/customers/nobody/budgets/completions')).status).toBe(404);
    expect((await tenant.get(`${OF_ACME}/completions`)).status).toBe(404);
    expect((await tenant.delete(`${OF_ACME}/completions`)).status).toBe(404);
    const stated = await tenant.facts('customer.changed');
    expect(stated).toHaveLength(1);
  });
});
