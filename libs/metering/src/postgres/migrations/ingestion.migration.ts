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
  code text not null check (code in ('customer_unknown', 'meter_unknown', 'event_unknown')),
  type text not null,
  subject text not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null,
  revision bigint not null,
  event text not null,
  ready boolean not null,
  -- A correction, and the event it waits for; how often the ledger was asked for that, and the order in which it came.
  corrects_source text,
  corrects_id text,
  corrects_kind text check (corrects_kind in ('reversal', 'amendment')),
  tries integer not null default 0,
  arrival bigint generated always as identity,
  primary key (tenant_id, source, event_id)
);
create index parked_event_by_age on parked_event (tenant_id, received_at);
create index parked_event_by_subject on parked_event (tenant_id, subject) where code = 'customer_unknown';
create index parked_event_by_type on parked_event (tenant_id, type) where code = 'meter_unknown';
create index parked_event_awaiting on parked_event (tries, arrival) where code = 'event_unknown';
create index parked_event_of_corrected on parked_event (tenant_id, corrects_source, corrects_id) where code = 'event_unknown';
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
  -- The event as somebody mended it, to be sent in the place of the payload.
  mended jsonb,
  primary key (tenant_id, id)
);
create index dead_letter_by_status on dead_letter (tenant_id, status, id);

-- Usage of a past period, brought in by an administrator as one operation.
create table backfill (
  tenant_id uuid not null,
  id uuid not null,
  from_at timestamptz not null,
  to_at timestamptz not null check (to_at > from_at),
  key_id text not null,
  author text,
  reason text not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  accepted bigint not null default 0,
  duplicates bigint not null default 0,
  parked bigint not null default 0,
  refused bigint not null default 0,
  primary key (tenant_id, id)
);

-- What people did to usage; written with what it tells about, never changed.
create table usage_audit (
  tenant_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  key_id text not null,
  author text,
  action text not null,
  subject text not null,
  reason text,
  detail jsonb not null,
  primary key (tenant_id, id)
);
create index usage_audit_of_subject on usage_audit (tenant_id, subject, id);
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is immutable: % refused', tg_op using errcode = 'restrict_violation';
end $$;
create trigger usage_audit_immutable before update or delete or truncate on usage_audit
  for each statement execute function refuse_change();
`,
);
