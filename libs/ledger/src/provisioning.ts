import { directoryMigration } from '@tallygate/directory';
import type { SchemaProvisioning } from '@tallygate/platform';
import { budgetsMigration } from './postgres/migrations/budgets.migration';
import { checkpointsMigration } from './postgres/migrations/checkpoints.migration';
import { correctionsMigration } from './postgres/migrations/corrections.migration';
import { ledgerMigration } from './postgres/migrations/ledger.migration';
import { proofMigration } from './postgres/migrations/proof.migration';
import { shortAnalyzeMigration } from './postgres/migrations/short-analyze.migration';
import { slowVacuumMigration } from './postgres/migrations/slow-vacuum.migration';
import { toldMigration } from './postgres/migrations/told.migration';
import { unfoldedPagesMigration } from './postgres/migrations/unfolded-pages.migration';
import { usageRollupMigration } from './postgres/migrations/usage-rollup.migration';
import { vacuumStepsMigration } from './postgres/migrations/vacuum-steps.migration';

export const ledgerProvisioning = {
  schema: 'ledger',
  migrations: [
    directoryMigration,
    ledgerMigration,
    correctionsMigration,
    checkpointsMigration,
    usageRollupMigration,
    unfoldedPagesMigration,
    proofMigration,
    budgetsMigration,
    slowVacuumMigration,
    vacuumStepsMigration,
    toldMigration,
    shortAnalyzeMigration,
  ],
  withoutTenant: ['unfolded_slice', 'usage_generation', 'partition_stop', 'partition_skip'],
  appendOnly: ['journal', 'journal_seal', 'journal_seal_part', 'partition_skip'],
} satisfies SchemaProvisioning;
