import { sqlMigration } from '@tallygate/platform';

/** What was last said to be left, beside the revision that said it: nobody has to keep it in memory. */
export const toldMigration = sqlMigration(
  'LedgerTold',
  1_700_000_009_000,
  `
-- Free credit less debt, and included less used, when the facts last left; null: not known, the next change leaves at once.
alter table wallet add told numeric(38,9);
alter table usage_counter add told numeric(38,9);
`,
);
