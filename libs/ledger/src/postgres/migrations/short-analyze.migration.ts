import { sqlMigration } from '@tallygate/platform';

/** What only grows is analyzed by a small sample. */
export const shortAnalyzeMigration = sqlMigration(
  'LedgerShortAnalyze',
  1_700_000_010_000,
  `
-- How tables that only grow are maintained. An ANALYZE keeps the rows of its snapshot alive in every table. While one of
-- 30,000 sampled rows went on for 10 s at this pace, wallets and lots that each slice updates found no room in their pages
-- (31 instead of 100 of 100 updates stayed in theirs), and slices took three times as long. A tenth of the sample is enough
-- for plans that go by keys.
create function only_grows(growing regclass) returns void language plpgsql as $$
declare kept name;
begin
  execute format('alter table %s set (autovacuum_vacuum_cost_delay = 10, autovacuum_vacuum_cost_limit = 40)', growing);
  for kept in select attname from pg_attribute where attrelid = growing and attnum > 0 and not attisdropped loop
    execute format('alter table %s alter column %I set statistics 10', growing, kept);
  end loop;
end $$;
revoke execute on function only_grows(regclass) from public;
select only_grows(inhrelid::regclass) from pg_inherits where inhparent = 'usage_event'::regclass;
select only_grows('journal'), only_grows('journal_seal_part');
`,
);
