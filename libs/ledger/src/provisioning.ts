import { directoryMigration } from '@tallygate/directory';
import type { SchemaProvisioning } from '@tallygate/platform';
import { checkpointsMigration } from './postgres/migrations/checkpoints.migration';
import { correctionsMigration } from './postgres/migrations/corrections.migration';
import { ledgerMigration } from './postgres/migrations/ledger.migration';

export const ledgerProvisioning = {
  schema: 'ledger',
  migrations: [directoryMigration, ledgerMigration, correctionsMigration, checkpointsMigration],
  withoutTenant: [],
} satisfies SchemaProvisioning;
