/** What each path of the demo's API is sold as, and the usage that the gate reports of what it let through. */
const ROUTES = [
  {
    prefix: '/v1/completions',
    feature: 'completions',
    usage: { type: 'llm.completion', data: { tokens: '$response.x-tokens', model: '$response.x-model' } },
  },
  { prefix: '/v1/search', feature: 'search', usage: { type: 'api.call' } },
  { prefix: '/v1/burst', feature: 'burst' },
  { prefix: '/v1/admin', feature: 'admin' },
];

/** As the gate's PROXY_ROUTES takes it. */
export const gateRoutes = (): string => JSON.stringify(ROUTES);
