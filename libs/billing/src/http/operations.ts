import { invalid } from '@tallygate/platform';
import type { ApiTag } from '@tallygate/platform';
import {
  appliedCatalogAnswer,
  auditAnswer,
  clockAnswer,
  createdTenantAnswer,
  introspectAnswer,
  issuedKeyAnswer,
  movedClockAnswer,
  revokedKeyAnswer,
  tenantAnswer,
} from './answers';
import {
  clockRefusal,
  ledgerUnreachable,
  notFound,
  notYaml,
  reratingNotSupported,
  usageRated,
} from './refusals';

export const BILLING_TAG: ApiTag = {
  name: 'billing',
  description:
    'Tenants and keys, the catalog, customers, subscriptions, invoices, top-ups and the test clock.',
};

const KEY_ID = '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b92';
const TENANT = {
  id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b99',
  name: 'Example Inc',
  mode: 'test' as const,
  timezone: 'UTC',
  currency: 'USD',
  clock: '2026-03-01T00:00:00Z',
  settings: {
    lateness: '1h',
    dedup_window: '35d',
    disclose_balance: false,
    disclose_price: true,
    portal_url: null,
    docs_url: null,
  },
};

/** Contracts of the routes about a tenant as a whole; what they take is read from the handlers' own pipes. */
export const TENANTS = {
  create: {
    id: 'createTenant',
    summary: 'Creates a provider with its first key',
    body: { example: { name: 'Example Inc', mode: 'test', clock: '2026-03-01T00:00:00Z' } },
    answer: createdTenantAnswer,
    example: { ...TENANT, api_key: 'tg_test_shown-once', api_key_id: KEY_ID },
  },
  show: { id: 'getTenant', summary: 'The tenant of the key', answer: tenantAnswer, example: TENANT },
  issue: {
    id: 'createApiKey',
    summary: 'Makes a key with these scopes',
    body: { example: { scopes: ['usage:write'] } },
    answer: issuedKeyAnswer,
    example: { id: KEY_ID, api_key: 'tg_test_shown-once', scopes: ['usage:write' as const] },
  },
  revoke: {
    id: 'revokeApiKey',
    summary: 'Ends a key',
    answer: revokedKeyAnswer,
    example: { id: KEY_ID, revoked: true as const },
    refusals: [notFound('API key in force')],
  },
  trail: {
    id: 'listAudit',
    summary: 'Who did what, newest first',
    answer: auditAnswer,
    example: {
      entries: [{ at: '2026-03-01T00:00:00Z', actor: KEY_ID, action: 'catalog.applied', target: '3' }],
    },
  },
  introspect: {
    id: 'introspectKey',
    summary: 'Whose key has this hash',
    body: { example: { hash: 'f'.repeat(64) } },
    answer: introspectAnswer,
    example: { principal: null },
  },
};

const METER = {
  key: 'tokens',
  event_type: 'llm.completion',
  aggregation: 'sum' as const,
  value: '$.tokens',
  group_by: { model: '$.model' },
};
const PRICE = { key: 'token_price', unit: 'USD', model: 'per_unit' as const, amount: '0.002' };
const DOCUMENT = {
  meters: [METER],
  features: [{ key: 'completions', kind: 'prepaid' as const, meter: 'tokens', price: 'token_price' }],
  prices: [PRICE],
  plans: [{ key: 'payg', features: { completions: {} } }],
};
const BROKEN_REFERENCE = invalid([
  {
    field: 'features[0].meter',
    value: 'tokenz',
    problem: 'names no meter of the catalog',
    fix: 'use the key of a meter',
  },
]);

/** A row that says from when it holds is not stated before the ledger has agreed. */
const STATING = [
  usageRated([
    {
      key: 'token_price',
      from: '2026-02-01T00:00:00Z',
      feature: 'completions',
      earliest: '2026-02-03T10:00:00Z',
    },
  ]),
  ledgerUnreachable(),
];

export const CATALOG = {
  apply: {
    id: 'applyCatalog',
    summary: 'Merges a document into what the tenant sells, by key',
    description: 'Checked on the merged whole; the same document again changes nothing.',
    body: { example: DOCUMENT, types: ['application/json', 'application/yaml'] },
    answer: appliedCatalogAnswer,
    example: { revision: 3, catalog: DOCUMENT },
    refusals: [BROKEN_REFERENCE, notYaml('Nested mappings are not allowed in compact mappings'), ...STATING],
  },
  show: {
    id: 'getCatalog',
    summary: 'What the tenant sells',
    answer: appliedCatalogAnswer,
    example: { revision: 3, catalog: DOCUMENT },
  },
  append: {
    id: 'appendPrice',
    summary: 'Appends a row to a price, in force from now or from an instant ahead',
    description: 'What is left out is as in the row in force.',
    body: { example: { key: 'token_price', amount: '0.0025', from: '2026-04-01T00:00:00Z' } },
    answer: appliedCatalogAnswer,
    example: { revision: 4, catalog: DOCUMENT },
    refusals: [reratingNotSupported(), ...STATING],
  },
};

export const TEST_CLOCK = {
  show: {
    id: 'getTestClock',
    summary: 'A test tenant’s virtual time',
    answer: clockAnswer,
    example: { now: '2026-03-01T00:00:00Z' },
    refusals: [clockRefusal('no_test_clock', null)],
  },
  advance: {
    id: 'advanceTestClock',
    summary: 'Moves the clock through every due instant up to the target, which is included',
    body: { example: { to: '2026-03-02T00:00:00Z' } },
    answer: movedClockAnswer,
    example: { now: '2026-03-02T00:00:00Z', visited: 4 },
    refusals: [
      clockRefusal('no_test_clock', null),
      clockRefusal('clock_moving', null),
      clockRefusal('clock_backwards', '2025-01-01T00:00:00Z'),
    ],
  },
  settle: {
    id: 'settleTestClock',
    summary: 'Lets the whole system come to rest where the clock stands',
    body: { example: {}, optional: true },
    answer: movedClockAnswer,
    example: { now: '2026-03-01T00:00:00Z', visited: 0 },
    refusals: [clockRefusal('no_test_clock', null), clockRefusal('clock_moving', null)],
  },
};
