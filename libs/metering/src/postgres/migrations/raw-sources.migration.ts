import { sqlMigration } from '@tallygate/platform';

/** Which sources sent events through usage.raw. */
export const rawSourcesMigration = sqlMigration(
  'IngestionRawSources',
  1_700_000_003_000,
  `
create table raw_source (
  tenant_id uuid not null,
  -- '': all sources of the tenant.
  source text not null,
  primary key (tenant_id, source)
);
-- Nobody noted the sources of what came before, so tenants who are known by now count as a whole. Their owner may read no
-- rows of theirs otherwise; provisioning forces that again.
alter table tenant_facts no force row level security;
insert into raw_source (tenant_id, source) select tenant_id, '' from tenant_facts;
`,
);
