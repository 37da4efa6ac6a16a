import { sqlMigration } from '@tallygate/platform';

/**
 * A service's own copy of billing's facts. Facts are kept whole, as they travelled; the columns beside them are what
 * look-ups and version guards need. No foreign keys: facts of one topic arrive in order, but nothing here may refuse one.
 */
export const directoryMigration = sqlMigration(
  'Directory',
  1_700_000_000_100,
  `
create table tenant_facts (
  tenant_id uuid primary key,
  changed_at timestamptz not null,
  facts jsonb not null
);

create table catalog_facts (
  tenant_id uuid primary key,
  revision bigint not null,
  catalog jsonb not null
);

create table customer_facts (
  tenant_id uuid not null,
  customer_id uuid not null,
  key text not null,
  version bigint not null,
  facts jsonb not null,
  primary key (tenant_id, customer_id)
);
create index customer_facts_by_key on customer_facts (tenant_id, key);

create table customer_subject (
  tenant_id uuid not null,
  subject text not null,
  customer_id uuid not null,
  primary key (tenant_id, subject)
);
create index customer_subject_by_customer on customer_subject (tenant_id, customer_id);

create table subscription_facts (
  tenant_id uuid not null,
  subscription_id uuid not null,
  customer_id uuid not null,
  version bigint not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  facts jsonb not null,
  primary key (tenant_id, subscription_id)
);
create index subscription_facts_by_customer on subscription_facts (tenant_id, customer_id, started_at);
`,
);
