import { directoryMigration } from '@tallygate/directory';
import type { SchemaProvisioning } from '@tallygate/platform';
import { ledgerMigration } from './postgres/migrations/ledger.migration';

export const ledgerProvisioning = {
  schema: 'ledger',
  migrations: [directoryMigration, ledgerMigration],
  withoutTenant: [],
} satisfies SchemaProvisioning;
