import { sqlMigration } from '@tallygate/platform';

export const notifierMigration = sqlMigration(
  'Notifier',
  1_763_700_000_000,
  `
-- What was said; the unique key is what makes a notice happen once.
create table notice (
  tenant_id uuid not null,
  notice_id uuid not null,
  customer_id uuid not null,
  kind text not null,
  subject text not null,
  stage text not null,
  threshold text,
  at timestamptz not null,
  details jsonb not null,
  sequence bigint generated always as identity,
  primary key (tenant_id, notice_id),
  unique (tenant_id, customer_id, kind, subject, stage)
);
create index notice_feed on notice (tenant_id, customer_id, at, sequence);

create table delivery (
  tenant_id uuid not null,
  delivery_id uuid not null,
  notice_id uuid not null,
  customer_id uuid not null,
  channel text not null,
  address text not null,
  tries integer not null default 0,
  problem text,
  delivered_at timestamptz,
  -- Null when delivered or given up.
  due_at timestamptz,
  -- What it says does not hold at present: kept back until it does again.
  withdrawn boolean not null default false,
  -- A customer's deliveries over one channel leave in this order.
  sequence bigint generated always as identity,
  primary key (tenant_id, delivery_id)
);
create index delivery_due on delivery (due_at) where due_at is not null and not withdrawn;
create index delivery_line on delivery (tenant_id, customer_id, channel, sequence)
  where due_at is not null and not withdrawn;
create index delivery_notice on delivery (tenant_id, notice_id);

create table reminder (
  tenant_id uuid not null,
  reminder_id uuid not null,
  customer_id uuid not null,
  kind text not null,
  source text not null,
  subject text not null,
  stage text not null,
  threshold text,
  details jsonb not null,
  due_at timestamptz not null,
  ends_at timestamptz not null,
  -- No index starts with the tenant: while the table is small and has no statistics yet, the planner would take any that
  -- does as good enough for one thing's reminders, and read all of the tenant's for as long as the plan is kept.
  primary key (reminder_id, tenant_id),
  unique (customer_id, kind, source, stage, tenant_id)
);
create index reminder_due on reminder (due_at, tenant_id);

-- What is known of each thing that is watched, at its latest version.
create table watch (
  tenant_id uuid not null,
  watch_id uuid not null,
  customer_id uuid not null,
  kind text not null,
  key text not null,
  version bigint not null,
  facts jsonb not null,
  fired text[] not null default '{}',
  -- When it must be looked at again with no new fact: a balance that will change by itself, a rule that changed.
  due_at timestamptz,
  primary key (tenant_id, watch_id),
  unique (tenant_id, customer_id, kind, key)
);
create index watch_due on watch (due_at) where due_at is not null;
create index watch_due_of_tenant on watch (tenant_id, due_at) where due_at is not null;

create table announced_usage (
  tenant_id uuid not null,
  customer_id uuid not null,
  feature text not null,
  period_start text not null,
  percent text,
  units text,
  primary key (tenant_id, customer_id, feature, period_start)
);

create table known_invoice (
  tenant_id uuid not null,
  invoice_id uuid not null,
  number bigint not null,
  kind text not null,
  primary key (tenant_id, invoice_id)
);

create table waiting_notice (
  tenant_id uuid not null,
  invoice_id uuid not null,
  notice jsonb not null,
  sequence bigint generated always as identity,
  primary key (tenant_id, sequence)
);
create index waiting_notice_invoice on waiting_notice (tenant_id, invoice_id);

create table alert (
  tenant_id uuid not null,
  alert_id uuid not null,
  kind text not null,
  detail text not null,
  at timestamptz not null,
  sequence bigint generated always as identity,
  primary key (tenant_id, alert_id)
);
`,
);
