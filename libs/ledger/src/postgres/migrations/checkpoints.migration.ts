import { sqlMigration } from '@tallygate/platform';

/** Sums of a wallet's journal at every so many rows, so that a past balance reads a few hundred rows and not all. */
export const checkpointsMigration = sqlMigration(
  'LedgerCheckpoints',
  1_700_000_003_000,
  `
create table wallet_checkpoint (
  tenant_id uuid not null,
  wallet_id bigint not null,
  -- The rows it adds to the checkpoint before: [from_version, version].
  from_version bigint not null,
  version bigint not null,
  -- Of its last row; and the earliest instant at which any of its rows was posted or takes effect.
  posted_at timestamptz not null,
  earliest timestamptz not null,
  debt numeric(38,9) not null,
  -- Of every lot up to here: {id: [free, held, 'expired' | 'voided' | null]}, amounts as texts.
  lots jsonb not null,
  balance numeric(38,9) not null,
  primary key (wallet_id, version)
);

-- Rows that gave repaid debt back, which past balances look for; there are few.
create index journal_given_back on journal (wallet_id, effective_at)
  where kind = 'correction' and lot_id is not null and debt_id is not null;
`,
);
