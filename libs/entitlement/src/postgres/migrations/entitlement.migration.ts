import { sqlMigration } from '@tallygate/platform';

export const entitlementMigration = sqlMigration(
  'Entitlement',
  1_700_000_000_200,
  `
-- The latest of what ledger, dunning and billing said about a customer beyond the directory.
create table fact (
  tenant_id uuid not null,
  customer_id uuid not null,
  kind text not null,
  key text not null,
  version bigint not null,
  facts jsonb not null,
  primary key (tenant_id, customer_id, kind, key)
);

-- Children are compiled again when their payer's standing changes.
create index customer_facts_by_payer on customer_facts (tenant_id, (facts ->> 'payerId'));

-- The feed as a compacted log: one row per key, its last change at seq, removals kept as rows.
create table feed_entry (
  tenant_id uuid not null,
  kind text not null,
  key text not null,
  owner_id uuid,
  version bigint not null,
  seq bigint not null,
  payload text not null,
  removed boolean not null,
  primary key (tenant_id, kind, key)
);
create unique index feed_entry_by_seq on feed_entry (seq);
create index feed_entry_by_tenant on feed_entry (tenant_id, seq);
create index feed_entry_credentials on feed_entry (tenant_id, owner_id) where kind = 'credential';

-- One row. Its lock makes one writer of all, so that seq grows in the order of commits. The epoch is changed by hand
-- after a restore from a backup: positions handed out before it mean nothing then.
create table feed_position (
  only_row boolean primary key default true check (only_row),
  epoch text not null,
  seq bigint not null
);
insert into feed_position (epoch, seq) values (substr(md5(random()::text || clock_timestamp()::text), 1, 12), 0);
`,
);
