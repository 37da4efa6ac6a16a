import { sqlMigration } from '@tallygate/platform';

/** Customers' own budgets, beside the terms that usage is rated by. */
export const budgetsMigration = sqlMigration(
  'LedgerBudgets',
  1_700_000_006_000,
  `
-- As the customer's facts have them, the same on every row of a customer; null: none.
alter table subscription_version add budgets jsonb;
`,
);
