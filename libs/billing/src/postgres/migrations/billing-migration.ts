import { sqlMigration } from '@tallygate/platform';

/**
 * Billing's tables. Aggregates that one function changes as a whole (subscription, customer, catalog) are documents
 * beside the columns they are found by; money that lists and sums need (invoices, top-ups) has columns.
 */
export const billingMigrations = [
  sqlMigration(
    'Billing',
    1_763_700_000_000,
    `
-- Its row is the lock that orders a tenant's changes: numbers without gaps, facts in one order.
create table tenant (
  tenant_id uuid primary key,
  body jsonb not null,
  last_invoice integer not null default 0
);

-- The truth about a test tenant's time. mover: who moves it now, seen (system time) when it last gave a sign.
create table test_clock (
  tenant_id uuid primary key,
  now timestamptz not null,
  mover uuid,
  mover_seen timestamptz
);

create table api_key (
  tenant_id uuid not null,
  id uuid primary key,
  hash text not null unique,
  mode text not null check (mode in ('test', 'live')),
  scopes text[] not null,
  created_at timestamptz not null,
  revoked_at timestamptz
);
create index api_key_by_tenant on api_key (tenant_id);

create table catalog (
  tenant_id uuid primary key,
  revision integer not null,
  body jsonb not null
);

create table customer (
  tenant_id uuid not null,
  id uuid not null,
  key text not null,
  payer_id uuid,
  body jsonb not null,
  primary key (tenant_id, id),
  unique (tenant_id, key)
);
create index customer_by_payer on customer (tenant_id, payer_id) where payer_id is not null;

create table customer_subject (
  tenant_id uuid not null,
  subject text not null,
  customer_id uuid not null,
  primary key (tenant_id, subject)
);

create table consumer_key (
  tenant_id uuid not null,
  hash text not null,
  customer_id uuid not null,
  primary key (tenant_id, hash)
);

create table subscription (
  tenant_id uuid not null,
  id uuid not null,
  customer_id uuid not null,
  ended boolean not null,
  due_at timestamptz,
  body jsonb not null,
  primary key (tenant_id, id)
);
create unique index subscription_in_force on subscription (tenant_id, customer_id) where not ended;
create index subscription_by_customer on subscription (tenant_id, customer_id, id);
create index subscription_due on subscription (due_at) where due_at is not null;
create index subscription_due_of_tenant on subscription (tenant_id, due_at) where due_at is not null;

-- How each payer stands, as dunning last said: what a subscription begun later starts from.
create table standing (
  tenant_id uuid not null,
  payer_id uuid not null,
  body jsonb not null,
  primary key (tenant_id, payer_id)
);

create table invoice (
  tenant_id uuid not null,
  id uuid not null,
  number integer,
  customer_id uuid not null,
  payer_id uuid not null,
  kind text not null check (kind in ('subscription', 'top_up')),
  purpose text not null,
  status text not null check (status in ('draft', 'open', 'paid', 'void', 'refunded', 'uncollectible')),
  currency text not null,
  lines jsonb not null,
  total numeric(38, 9) not null check (total >= 0),
  due numeric(38, 9) not null check (due >= 0 and due <= total),
  captured numeric(38, 9) not null check (captured >= 0),
  anchor timestamptz not null,
  period_start timestamptz,
  period_end timestamptz,
  subscription_id uuid,
  top_up_id uuid,
  dunning_policy text,
  billing_interval text,
  opened_at timestamptz not null,
  settled_at timestamptz,
  version integer not null,
  primary key (tenant_id, id),
  unique (tenant_id, number)
);
create index invoice_by_payer on invoice (tenant_id, payer_id, number);
create index invoice_by_subscription on invoice (tenant_id, subscription_id) where subscription_id is not null;

create table top_up (
  tenant_id uuid not null,
  id uuid not null,
  customer_id uuid not null,
  key text not null,
  unit text not null,
  amount numeric(38, 9) not null check (amount > 0),
  status text not null check (status in ('pending', 'paid', 'failed')),
  invoice_id uuid not null,
  decline_code text,
  auto boolean not null,
  refunded numeric(38, 9) not null default 0 check (refunded >= 0),
  disputed numeric(38, 9) not null default 0 check (disputed >= 0),
  dispute text check (dispute in ('open', 'won', 'lost')),
  reversals integer not null default 0,
  created_at timestamptz not null,
  paid_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key)
);
create index top_up_by_customer on top_up (tenant_id, customer_id, unit);

create table auto_top_up (
  tenant_id uuid not null,
  customer_id uuid not null,
  unit text not null,
  due_at timestamptz,
  body jsonb not null,
  primary key (tenant_id, customer_id, unit)
);
create index auto_top_up_due on auto_top_up (due_at) where due_at is not null;

-- Wallets as the ledger last stated them, for the rules above; a version never goes back.
create table wallet_balance (
  tenant_id uuid not null,
  customer_id uuid not null,
  unit text not null,
  version bigint not null,
  segments jsonb not null,
  primary key (tenant_id, customer_id, unit)
);

create table payment_method (
  tenant_id uuid not null,
  customer_id uuid not null,
  version integer not null,
  body jsonb,
  primary key (tenant_id, customer_id)
);

create table customer_flags (
  tenant_id uuid not null,
  customer_id uuid not null,
  override_until timestamptz,
  body jsonb not null,
  primary key (tenant_id, customer_id)
);
create index customer_flags_due on customer_flags (override_until) where override_until is not null;

-- Who did what. Never changed, never read by the system itself.
create table audit (
  tenant_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  actor text not null,
  action text not null,
  target text not null,
  detail jsonb not null,
  primary key (tenant_id, id)
);
`,
  ),
];
