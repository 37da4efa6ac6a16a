/** A small catalog with one plan for every way to begin. */
export const CATALOG = {
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
