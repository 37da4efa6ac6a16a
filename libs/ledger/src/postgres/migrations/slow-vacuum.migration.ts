import { sqlMigration } from '@tallygate/platform';

/** What only grows is vacuumed for its visibility map, which nobody waits for. */
export const slowVacuumMigration = sqlMigration(
  'LedgerSlowVacuum',
  1_700_000_007_000,
  `
-- Five times slower than by default: at full speed what a minute brought (a million events) takes a third of a core for
-- seconds, which everybody who waits for a slice notices. Partitions made later are given the same.
do $$
declare growing regclass;
begin
  for growing in
    select inhrelid::regclass from pg_inherits where inhparent = 'usage_event'::regclass
    union all values ('journal'::regclass), ('journal_seal_part'::regclass)
  loop
    execute format('alter table %s set (autovacuum_vacuum_cost_delay = 10)', growing);
  end loop;
end $$;
`,
);
