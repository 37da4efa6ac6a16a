import { sqlMigration } from '@tallygate/platform';

/** What proves that the journal is as it was written: see README, "Proof". */
export const proofMigration = sqlMigration(
  'LedgerProof',
  1_700_000_001_500,
  `
-- One link of a tenant's chain: hash covers everything else of the row, and previous is the hash of the link before.
create table journal_seal (
  tenant_id uuid not null,
  seq bigint not null check (seq > 0),
  previous bytea not null,
  parts integer not null,
  rows bigint not null,
  -- SHA-256 over the seal's parts, in the order of their wallets.
  content bytea not null,
  hash bytea not null,
  sealed_at timestamptz not null,
  primary key (tenant_id, seq)
);

-- The rows of one wallet that a seal covers: versions first to last.
create table journal_seal_part (
  tenant_id uuid not null,
  seq bigint not null,
  wallet_id bigint not null,
  first_version bigint not null,
  last_version bigint not null,
  -- SHA-256 over the SHA-256 of each row.
  digest bytea not null,
  -- 12 bytes a row, four of a hash each of its amounts, its kind and times, and what it refers to: they prove nothing,
  -- they only name what differs.
  marks bytea not null,
  primary key (wallet_id, last_version),
  check (first_version > 0 and last_version >= first_version)
);
create index journal_seal_part_of_seal on journal_seal_part (tenant_id, seq, wallet_id);

-- Partitions of usage_event by arrival: one takes new events; recent ones may hold an identity that comes again and are
-- looked up; kept ones are the usage record only; ahead is made before it is needed.
create table usage_generation (
  generation smallint primary key,
  state text not null check (state in ('ahead', 'current', 'recent', 'kept')),
  opened_at timestamptz,
  closed_at timestamptz
);
create unique index usage_generation_current on usage_generation (state) where state = 'current';
insert into usage_generation (generation, state) values (1, 'current');

-- Partitions of a topic that stand still because messages between the stored offset and what the log still has are gone.
create table partition_stop (
  topic text not null,
  partition integer not null,
  stored_offset bigint not null,
  first_offset bigint not null,
  stopped_at timestamptz not null,
  primary key (topic, partition)
);

-- Who let a partition go on behind lost messages.
create table partition_skip (
  id uuid primary key,
  topic text not null,
  partition integer not null,
  from_offset bigint not null,
  to_offset bigint not null,
  author text not null,
  reason text not null,
  skipped_at timestamptz not null
);
create trigger partition_skip_immutable before update or delete or truncate on partition_skip
  for each statement execute function refuse_change();

create trigger journal_seal_immutable before update or delete or truncate on journal_seal
  for each statement execute function refuse_change();
create trigger journal_seal_part_immutable before update or delete or truncate on journal_seal_part
  for each statement execute function refuse_change();
`,
);
