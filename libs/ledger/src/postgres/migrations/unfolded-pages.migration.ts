import { sqlMigration } from '@tallygate/platform';

/** About where an unfolded slice lies: what a reader of a few new slices needs not to read everything new. */
export const unfoldedPagesMigration = sqlMigration(
  'LedgerUnfoldedPages',
  1_700_000_005_000,
  `
-- Null where only the slice is known. page: where the generation's table ended when the slice was written, with the slice
-- shortly before it; a hint, which rows tells from a wrong one.
alter table unfolded_slice add generation smallint, add rows integer, add page bigint;
`,
);
