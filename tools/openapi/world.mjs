/** What the fuzzed tenant has: customers on plans, credit, usage, an invoice, a hold, a dead letter. */
const CATALOG = {
  meters: [
    {
      key: 'tokens',
      event_type: 'llm.completion',
      aggregation: 'sum',
      value: '$.tokens',
      group_by: { model: '$.model' },
    },
    { key: 'calls', event_type: 'api.call', aggregation: 'count' },
  ],
  features: [
    { key: 'completions', kind: 'prepaid', meter: 'tokens', price: 'token_price' },
    { key: 'exports', kind: 'quota', meter: 'calls' },
    { key: 'seats', kind: 'boolean', requires_approval: true },
  ],
  prices: [{ key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.002' }],
  plans: [
    { key: 'payg', features: { completions: {}, exports: { included: '100' }, seats: {} } },
    { key: 'pro', amount: '20', features: { completions: {}, exports: { included: '1000' } } },
  ],
};

export async function startWorld(stack) {
  const url = stack.urls.billing;
  let keys = 0;
  const as = (key) => async (method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': `world-${(keys += 1)}`,
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const tenant = await as(stack.rootKey)('POST', '/v1/tenants', { name: 'Fuzzed', mode: 'test' });
  const send = as(tenant.api_key);
  await send('PUT', '/v1/catalog', CATALOG);
  for (const key of ['acme', 'globex', 'initech']) {
    await send('POST', '/v1/customers', { key, subjects: [`${key}-1`], plan: 'payg', payment_method: 'ok' });
    await send('POST', `/v1/customers/${key}/grants`, { unit: 'USD', amount: '1000', key: `first-${key}` });
  }
  await send('POST', '/v1/customers/acme/grants', { unit: 'USD', amount: '25', key: 'g1' });
  await send('POST', '/v1/customers/acme/holds', { unit: 'USD', amount: '5', key: 'h1', ttl: '1d' });
  await send('POST', '/v1/customers/globex/top-ups', { unit: 'USD', amount: '50', key: 't1' });
  const event = {
    specversion: '1.0',
    source: 'world',
    type: 'llm.completion',
    data: { tokens: '12', model: 'm1' },
  };
  await send('POST', '/v1/events', [
    { ...event, id: 'e1', subject: 'acme' },
    { ...event, id: 'e2', subject: 'nobody-yet' },
  ]);
  await stack.publishUsage(tenant.id, { ...event, id: 'e3', subject: 'acme', data: { tokens: '-1' } });
  return { apiKey: tenant.api_key, rootKey: stack.rootKey };
}
