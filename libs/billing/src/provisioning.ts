import type { SchemaProvisioning } from '@tallygate/platform';
import { billingMigrations } from './postgres/migrations/billing-migration';

/** Billing's schema; every table of it belongs to a tenant. */
export const billingProvisioning: SchemaProvisioning = {
  schema: 'billing',
  migrations: billingMigrations,
  withoutTenant: [],
};
