/** What the demo's provider sells: completions by the token from prepaid credit, and a monthly plan. */
export const DEMO_CATALOG = {
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
    { key: 'search', kind: 'quota', meter: 'calls' },
    { key: 'burst', kind: 'boolean', rate_limit: { limit: 5, per: 'second' } },
    { key: 'admin', kind: 'boolean', forbidden: true },
  ],
  prices: [{ key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.002' }],
  plans: [
    { key: 'payg', features: { completions: {}, burst: {} } },
    { key: 'monthly', amount: '49', currency: 'USD', features: { search: { included: '10000' }, burst: {} } },
  ],
  notification_rules: [{ key: 'low', on: 'balance', unit: 'USD', thresholds: ['0.20'] }],
};
