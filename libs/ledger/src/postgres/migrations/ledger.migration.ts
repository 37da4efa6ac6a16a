import { sqlMigration } from '@tallygate/platform';

/**
 * Amounts are numeric(38,9), exact to the billionth with 29 digits before the point; instants timestamptz. Tables that
 * every slice updates leave room in their pages (fillfactor), so that an update stays in its page and touches no index.
 */
export const ledgerMigration = sqlMigration(
  'Ledger',
  1_700_000_001_000,
  `
-- A process takes a step's worth of ids at a time.
create sequence slice_id increment by 64;

-- One row per event and meter (ordinal 0, 1, …): the dedup mark, the usage and the charge in one insert. A partition
-- holds a generation of events by arrival; the identity is unique inside a generation, and a new event is looked up in
-- the generation before. With generations at least as long as the dedup window that is exact, a re-dated duplicate
-- included, and an old generation is dropped or archived without touching the writers.
create table usage_event (
  generation smallint not null,
  identity uuid not null,
  ordinal smallint not null,
  payload uuid not null,
  tenant_id uuid not null,
  customer_id uuid not null,
  source text not null,
  event_id text not null,
  meter text,
  quantity numeric(38,9),
  value text,
  grp jsonb,
  occurred_at timestamptz not null,
  slice_id bigint not null,
  position integer not null,
  -- The charge: of this feature, in this wallet; null where the event was only counted.
  wallet_id bigint,
  feature text,
  amount numeric(38,9),
  included numeric(38,9),
  primary key (generation, identity, ordinal)
) partition by list (generation);
create table usage_event_1 partition of usage_event for values in (1);
create index usage_event_1_by_time on usage_event_1 using brin (occurred_at) with (pages_per_range = 32);
create index usage_event_1_by_slice on usage_event_1 using brin (slice_id) with (pages_per_range = 32);

create table wallet (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  customer_id uuid not null,
  unit text not null,
  -- Position of the last journal row; gapless.
  version bigint not null default 0,
  -- Grows with every change of what a gate may see; published_revision is the last one that left through the outbox.
  revision bigint not null default 0,
  published_revision bigint not null default 0,
  free numeric(38,9) not null default 0,
  held numeric(38,9) not null default 0 check (held >= 0),
  debt numeric(38,9) not null default 0 check (debt >= 0),
  overdraft numeric(38,9) not null default 0,
  lateness interval not null default '1 hour',
  last_expiry_at timestamptz,
  last_credit_at timestamptz,
  -- The next instant at which something happens by itself.
  due_at timestamptz,
  unique (tenant_id, customer_id, unit)
) with (fillfactor = 70);
create index wallet_due on wallet (due_at) where due_at is not null;
create index wallet_due_of_tenant on wallet (tenant_id, due_at) where due_at is not null;

create table credit_grant (
  id uuid primary key,
  tenant_id uuid not null,
  wallet_id bigint not null references wallet (id),
  key text not null,
  source text not null,
  kind text not null check (kind in ('promotional', 'paid')),
  priority smallint not null check (priority between 0 and 255),
  amount numeric(38,9) not null check (amount > 0),
  effective_at timestamptz not null,
  expires_at timestamptz,
  features text[],
  -- A recurring grant: every (text of a duration), counted from anchor in zone; next_at null when the series has ended.
  every text,
  anchor timestamptz,
  zone text,
  rollover_min numeric(38,9),
  rollover_max numeric(38,9),
  next_at timestamptz,
  created_at timestamptz not null,
  voided_at timestamptz,
  -- How much of a purchase's credit was taken back because its money went back, as billing last said.
  reversed numeric(38,9) not null default 0 check (reversed >= 0),
  reversal_version integer not null default 0,
  unique (tenant_id, key),
  check (expires_at > effective_at)
);
create unique index credit_grant_source on credit_grant (tenant_id, source) where source <> 'api';
create index credit_grant_recurring on credit_grant (wallet_id) where next_at is not null;
create index credit_grant_of_wallet on credit_grant (wallet_id);

create table lot (
  id uuid primary key,
  tenant_id uuid not null,
  wallet_id bigint not null references wallet (id),
  grant_id uuid not null references credit_grant (id),
  -- As on the grant, whose key never changes: a slice reads lots only.
  grant_key text not null,
  kind text not null,
  priority smallint not null,
  effective_at timestamptz not null,
  expires_at timestamptz,
  features text[],
  amount numeric(38,9) not null,
  remaining numeric(38,9) not null check (remaining >= 0),
  held numeric(38,9) not null check (held >= 0),
  state text not null check (state in ('pending', 'live', 'expired', 'voided')),
  -- Something left or held: what a change of the wallet reads.
  live boolean not null
) with (fillfactor = 70);
create index lot_live on lot (wallet_id) where live;
create index lot_of_grant on lot (grant_id);
create index lot_of_wallet on lot (wallet_id);

create table debt (
  id uuid primary key,
  tenant_id uuid not null,
  wallet_id bigint not null references wallet (id),
  feature text,
  occurred_at timestamptz not null,
  total numeric(38,9) not null,
  repaid numeric(38,9) not null check (repaid >= 0 and repaid <= total),
  open boolean not null
);
create index debt_open on debt (wallet_id) where open;

create table hold (
  id uuid primary key,
  tenant_id uuid not null,
  wallet_id bigint not null references wallet (id),
  key text not null,
  feature text,
  amount numeric(38,9) not null check (amount > 0),
  expires_at timestamptz not null,
  -- [{lotId, amount}] of what is still pinned, in the order in which it was taken.
  parts jsonb not null,
  state text not null check (state in ('open', 'captured', 'released', 'expired')),
  created_at timestamptz not null,
  resolved_at timestamptz,
  unique (tenant_id, key)
);
create index hold_open on hold (wallet_id) where state = 'open';

-- Four legs that sum to zero: free and held credit of a lot, what the customer owes, and the contra account of the kind.
create table journal (
  wallet_id bigint not null,
  version bigint not null,
  tenant_id uuid not null,
  kind text not null,
  posted_at timestamptz not null,
  effective_at timestamptz not null,
  lot_id uuid,
  debt_id uuid,
  feature text,
  reference text,
  slice_id bigint,
  free numeric(38,9) not null,
  held numeric(38,9) not null,
  debt numeric(38,9) not null,
  contra numeric(38,9) not null,
  primary key (wallet_id, version),
  check (free + held - debt + contra = 0)
);
create index journal_by_tenant on journal using brin (tenant_id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the journal is immutable: % of % refused', tg_op, tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger journal_immutable before update or delete or truncate on journal
  for each statement execute function refuse_change();

create table usage_counter (
  tenant_id uuid not null,
  customer_id uuid not null,
  feature text not null,
  kind text not null check (kind in ('quota', 'tier', 'value', 'spend')),
  scope text not null,
  period_start timestamptz not null,
  period_end timestamptz,
  included numeric(38,9) not null,
  used numeric(38,9) not null check (used >= 0),
  quota_limit text not null,
  revision bigint not null default 1,
  published_revision bigint not null default 0,
  -- End of a quota's period that was not rolled over yet.
  due_at timestamptz,
  -- Of a meter that does not add up: events of the period, the sum of their quantities, own time of the latest.
  events bigint,
  total numeric(38,9),
  latest_at timestamptz,
  primary key (tenant_id, customer_id, feature, kind, scope, period_start)
) with (fillfactor = 70);
create index usage_counter_due on usage_counter (due_at) where due_at is not null;
create index usage_counter_due_of_tenant on usage_counter (tenant_id, due_at) where due_at is not null;

-- What a unique count has counted in a period, by SHA-256 of the value.
create table counted_value (
  tenant_id uuid not null,
  customer_id uuid not null,
  feature text not null,
  kind text not null,
  period_start timestamptz not null,
  digest bytea not null,
  primary key (tenant_id, customer_id, feature, kind, period_start, digest)
);

-- How meters aggregated over time: from_at null is since always.
create table meter_version (
  tenant_id uuid not null,
  meter text not null,
  version integer not null,
  aggregation text not null,
  from_at timestamptz,
  primary key (tenant_id, meter, version)
);

-- Price rows that billing announced, until the catalog of their revision comes: what they would price waits.
create table announced_price (
  id uuid primary key,
  tenant_id uuid not null,
  revision integer not null,
  rows jsonb not null
);
create index announced_price_of_tenant on announced_price (tenant_id);

-- Who rates shares the tenants' prices until its transaction ends; who changes them waits for that and is alone. Each
-- statement of a volatile function sees what was committed before it, so what is read here is not older than the lock.
create function announced_prices(tenants uuid[]) returns setof announced_price language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('ledger.prices' || t, 0))
     from (select distinct t from unnest(tenants) as t order by t) as asked;
  return query select * from announced_price where tenant_id = any (tenants);
end $$;

-- The terms a plan was sold with, once per text; subscriptions point at them.
create table plan_terms (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  digest uuid not null,
  terms jsonb not null,
  unique (tenant_id, digest)
);

-- Every version of every subscription: usage is rated by the one in force at the event's own time.
create table subscription_version (
  tenant_id uuid not null,
  customer_id uuid not null,
  subscription_id uuid not null,
  version bigint not null,
  effective_at timestamptz not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  anchor timestamptz not null,
  period_start timestamptz not null,
  period_end timestamptz not null,
  in_force boolean not null,
  zone text not null,
  terms_id bigint not null references plan_terms (id),
  -- [{feature, at (microseconds), keepAnchor}]: quotas begun anew by a call, the same on every row of a customer.
  resets jsonb,
  primary key (tenant_id, customer_id, subscription_id, version)
);

-- Charges for which no price row matched, until one does.
create table parked_usage (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  customer_id uuid not null,
  source text not null,
  event_id text not null,
  feature text not null,
  code text not null,
  occurred_at timestamptz not null,
  reading jsonb not null,
  parked_at timestamptz not null,
  -- Of the event's row.
  ordinal smallint not null,
  unique (tenant_id, source, event_id, feature, code)
);
`,
);
