import { sqlMigration } from '@tallygate/platform';

export const ingestionMigration = sqlMigration(
  'Ingestion',
  1_700_000_001_000,
  `
-- What came over HTTP: enough to tell a repeat from a conflict while somebody waits for the answer.
create table received_event (
  tenant_id uuid not null,
  source text not null,
  event_id text not null,
  payload_hash text not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null,
  keep_until timestamptz not null,
  primary key (tenant_id, source, event_id)
);
create index received_event_by_end on received_event (keep_until);
create index received_event_by_tenant_end on received_event (tenant_id, keep_until);

-- Accepted, waiting for a customer or a meter. ready: what it waited for may have appeared.
create table parked_event (
  tenant_id uuid not null,
  source text not null,
  event_id text not null,
  payload_hash text not null,
  code text not null check (code in ('customer_unknown', 'meter_unknown')),
  type text not null,
  subject text not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null,
  revision bigint not null,
  event text not null,
  ready boolean not null,
  primary key (tenant_id, source, event_id)
);
create index parked_event_by_age on parked_event (tenant_id, received_at);
create index parked_event_by_subject on parked_event (tenant_id, subject) where code = 'customer_unknown';
create index parked_event_by_type on parked_event (tenant_id, type) where code = 'meter_unknown';
create index parked_event_ready on parked_event (tenant_id, received_at) where ready;

create table dead_letter (
  tenant_id uuid not null,
  id uuid not null,
  origin text not null unique,
  code text not null,
  faults jsonb not null,
  source text,
  event_id text,
  payload bytea not null,
  headers jsonb not null,
  received_at timestamptz not null,
  status text not null default 'open' check (status in ('open', 'replayed', 'discarded')),
  primary key (tenant_id, id)
);
create index dead_letter_by_status on dead_letter (tenant_id, status, id);
`,
);
