import type { TenantFacts, TenantSettings } from '@tallygate/contracts';

export type Tenant = TenantFacts;

export const DEFAULT_SETTINGS: TenantSettings = {
  lateness: '1h',
  dedupWindow: '35d',
  discloseBalance: false,
  disclosePrice: true,
  portalUrl: null,
  docsUrl: null,
};

/** A provider's key. The secret itself is shown once and kept nowhere. */
export interface ApiKey {
  readonly id: string;
  readonly tenantId: string;
  readonly mode: 'test' | 'live';
  readonly hash: string;
  readonly scopes: readonly string[];
}
