import { sqlMigration } from '@tallygate/platform';

/** Which transaction wrote a subscription's version last, so that what a process knows of it can be asked after. */
export const changedTermsMigration = sqlMigration(
  'LedgerChangedTerms',
  1_700_000_011_000,
  `
alter table subscription_version add changed_by xid8 not null default pg_current_xact_id();
create index subscription_version_changed on subscription_version (changed_by);

create function changed_by_this() returns trigger language plpgsql as $$
begin
  new.changed_by := pg_current_xact_id();
  return new;
end $$;
create trigger subscription_version_changed before update on subscription_version
  for each row execute function changed_by_this();
`,
);
