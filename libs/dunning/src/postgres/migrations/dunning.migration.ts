import { sqlMigration } from '@tallygate/platform';

export const dunningMigration = sqlMigration(
  'Dunning',
  1_700_000_300_000,
  `
create table invoice (
  tenant_id uuid not null,
  invoice_id uuid not null,
  number bigint,
  customer_id uuid not null,
  payer_id uuid not null,
  kind text not null check (kind in ('subscription', 'top_up')),
  currency text not null,
  total numeric(38,9) not null,
  due numeric(38,9) not null check (due >= 0),
  anchor timestamptz not null,
  status text not null check (status in ('draft', 'open', 'paid', 'void', 'refunded', 'uncollectible')),
  policy_key text,
  "interval" text check ("interval" in ('day', 'week', 'month', 'year')),
  version bigint not null,
  -- What collecting it has come to; billing's facts never touch these.
  failed_at timestamptz,
  declines integer not null default 0 check (declines >= 0),
  refusals integer not null default 0 check (refusals >= 0),
  last_class text,
  try_at timestamptz,
  outage_since timestamptz,
  outage_tries integer not null default 0 check (outage_tries >= 0),
  method_missing_reported boolean not null default false,
  by_link_only boolean not null default false,
  finished boolean not null default false,
  captured_by uuid,
  disputed boolean not null default false,
  primary key (tenant_id, invoice_id),
  -- A captured invoice is never tried again, whatever races.
  check (captured_by is null or try_at is null)
);
create index invoice_due on invoice (tenant_id, try_at) where try_at is not null;
create index invoice_unsettled on invoice (tenant_id, payer_id, anchor) where status in ('open', 'draft') and due > 0 and captured_by is null;
create index invoice_disputed on invoice (tenant_id, payer_id) where disputed;
create index invoice_by_payer on invoice (tenant_id, payer_id, anchor);

create table attempt (
  tenant_id uuid not null,
  attempt_id uuid not null,
  invoice_id uuid not null,
  payer_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  purpose text not null check (purpose in ('charge', 'checkout')),
  amount numeric(38,9) not null check (amount > 0),
  currency text not null,
  method jsonb,
  state text not null check (state in ('created', 'not_sent', 'unknown', 'pending', 'action_required', 'declined', 'succeeded')),
  charge_ref text,
  decline_code text,
  advice_code text,
  captured_at timestamptz,
  created_at timestamptz not null,
  check_at timestamptz,
  refunded numeric(38,9) not null default 0 check (refunded >= 0 and refunded <= amount),
  primary key (tenant_id, attempt_id),
  foreign key (tenant_id, invoice_id) references invoice (tenant_id, invoice_id)
);
-- Rule 1: at most one open attempt per invoice, whatever races.
create unique index attempt_open on attempt (tenant_id, invoice_id) where state in ('created', 'unknown', 'pending', 'action_required');
create index attempt_of_invoice on attempt (tenant_id, invoice_id);
create index attempt_of_payer on attempt (tenant_id, payer_id, created_at);
create index attempt_check on attempt (tenant_id, check_at) where check_at is not null;
create index attempt_declines on attempt (tenant_id, payer_id, created_at) where state = 'declined';

create table payer (
  tenant_id uuid not null,
  payer_id uuid not null,
  facts jsonb not null,
  warnings jsonb not null default '[]',
  due_at timestamptz,
  primary key (tenant_id, payer_id)
);
create index payer_due on payer (tenant_id, due_at) where due_at is not null;

create table payment_method (
  tenant_id uuid not null,
  payer_id uuid not null,
  method jsonb,
  version bigint not null,
  primary key (tenant_id, payer_id)
);

create table refund (
  tenant_id uuid not null,
  refund_key text not null,
  attempt_id uuid not null,
  amount numeric(38,9) not null check (amount > 0),
  tries integer not null default 0,
  due_at timestamptz,
  primary key (tenant_id, refund_key),
  foreign key (tenant_id, attempt_id) references attempt (tenant_id, attempt_id)
);
create index refund_due on refund (tenant_id, due_at) where due_at is not null;

create table provider_event (
  tenant_id uuid not null,
  provider text not null,
  event_id text not null,
  received_at timestamptz not null,
  primary key (tenant_id, provider, event_id)
);
`,
);
