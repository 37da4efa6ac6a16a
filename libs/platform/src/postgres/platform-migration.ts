import { sqlMigration } from './migration';

/** The tables that every service schema has before its own. */
export const platformMigrations = [
  sqlMigration(
    'Platform',
    1_700_000_000_000,
    `
create table outbox (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  topic text not null,
  key text not null,
  value bytea not null,
  headers jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp()
);
create index outbox_by_tenant on outbox (tenant_id);
-- Every row is deleted within moments of its insert: vacuum early, or the head of the index fills with dead rows.
alter table outbox set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

create table tenant_clock (
  tenant_id uuid primary key,
  now timestamptz not null
);

-- Where a consumer continues, stored in the transaction that did the work. owner and epoch fence a former owner.
create table consumer_offset (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  epoch bigint not null default 0,
  owner text,
  primary key (consumer_group, topic, partition)
);

create table idempotency (
  tenant_id uuid not null,
  key text not null check (char_length(key) between 1 and 255),
  route text not null,
  body_hash text not null,
  status integer,
  -- json, not jsonb: a replay is the first answer to the letter, the order of its fields included.
  answer json,
  created_at timestamptz not null,
  primary key (tenant_id, key)
);
create index idempotency_by_age on idempotency (created_at);
`,
  ),
];

/** Platform tables that hold no tenant's data. */
export const PLATFORM_WITHOUT_TENANT = ['consumer_offset'];
export const MIGRATION_TABLE = 'schema_migration';
