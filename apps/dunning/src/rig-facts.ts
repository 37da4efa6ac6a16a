import type { CustomerFacts, TenantFacts } from '@tallygate/contracts';

/** A tenant in test mode whose virtual clock starts there. */
export function testTenant(id: string, clock: string): TenantFacts {
  return {
    id,
    name: 'test',
    mode: 'test',
    timezone: 'UTC',
    currency: 'USD',
    settings: {
      lateness: '1h',
      dedupWindow: '35d',
      discloseBalance: false,
      disclosePrice: true,
      portalUrl: null,
      docsUrl: null,
    },
    clock,
  };
}

export function acme(id: string): CustomerFacts {
  return {
    id,
    key: 'acme',
    name: null,
    email: 'a@acme.example',
    webhookUrl: null,
    timezone: 'UTC',
    currency: 'USD',
    subjects: [],
    apiKeys: [],
    parentId: null,
    payerId: null,
    overdraft: {},
    version: 1,
  };
}
