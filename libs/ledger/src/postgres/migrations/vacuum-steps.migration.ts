import { sqlMigration } from '@tallygate/platform';

/** What only grows is vacuumed in short steps. */
export const vacuumStepsMigration = sqlMigration(
  'LedgerVacuumSteps',
  1_700_000_008_000,
  `
-- 40 instead of 200 pages between two pauses of 10 ms: after a million events vacuum and analyze spread their 1 to 1.3 s
-- of processor time over 15 and 9 s instead of 4 and 2. Partitions made later are given the same.
do $$
declare growing regclass;
begin
  for growing in
    select inhrelid::regclass from pg_inherits where inhparent = 'usage_event'::regclass
    union all values ('journal'::regclass), ('journal_seal_part'::regclass)
  loop
    execute format('alter table %s set (autovacuum_vacuum_cost_limit = 40)', growing);
  end loop;
end $$;
`,
);
