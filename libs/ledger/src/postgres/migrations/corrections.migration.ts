import { sqlMigration } from '@tallygate/platform';

/** What events became after their slice: corrections, what those changed of charges, and what they cut out of debts. */
export const correctionsMigration = sqlMigration(
  'LedgerCorrections',
  1_700_000_002_000,
  `
-- One row per correction that was taken; its slice's rows in the journal are its own.
create table usage_correction (
  tenant_id uuid not null,
  customer_id uuid not null,
  -- Of the corrected event, and of the correction itself.
  event uuid not null,
  identity uuid not null primary key,
  source text not null,
  correction_id text not null,
  kind text not null check (kind in ('reversal', 'amendment')),
  -- False: the event was reversed before.
  applied boolean not null,
  type text not null,
  posted_at timestamptz not null,
  slice_id bigint not null
);
create index usage_correction_of_event on usage_correction (event);
create index usage_correction_of_slice on usage_correction (slice_id);

-- What corrections changed of charges.
create table usage_charge (
  tenant_id uuid not null,
  customer_id uuid not null,
  event uuid not null,
  slice_id bigint not null,
  position integer not null,
  feature text not null,
  wallet_id bigint,
  amount numeric(38,9) not null,
  included numeric(38,9) not null,
  primary key (slice_id, position)
);
create index usage_charge_of_event on usage_charge (event);
create index usage_charge_of_customer on usage_charge (customer_id, feature);

-- Stretches of a debt, counted over everything it ever grew by, that corrections took out before they were repaid.
create table debt_hole (
  tenant_id uuid not null,
  debt_id uuid not null,
  wallet_id bigint not null,
  -- Of the correction's row in the journal.
  version bigint not null,
  hole_from numeric(38,9) not null,
  hole_to numeric(38,9) not null check (hole_to > hole_from),
  primary key (debt_id, hole_from)
);

-- Attribution looks for a slice's rows, and for a debt's. The first is a few pages by arrival; only debts pay for the second.
create index journal_by_slice on journal using brin (slice_id) with (pages_per_range = 16, autosummarize = on);
create index journal_of_debt on journal (debt_id) where debt_id is not null;
`,
);
