import { directoryMigration } from '@tallygate/directory';
import type { SchemaProvisioning } from '@tallygate/platform';
import { checkpointsMigration } from './postgres/migrations/checkpoints.migration';
import { correctionsMigration } from './postgres/migrations/corrections.migration';
import { ledgerMigration } from './postgres/migrations/ledger.migration';
import { usageRollupMigration } from './postgres/migrations/usage-rollup.migration';

export const ledgerProvisioning = {
  schema: 'ledger',
  migrations: [
    directoryMigration,
    ledgerMigration,
    correctionsMigration,
    checkpointsMigration,
    usageRollupMigration,
  ],
  withoutTenant: ['unfolded_slice'],
} satisfies SchemaProvisioning;
