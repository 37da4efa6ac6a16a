import { sqlMigration } from '@tallygate/platform';

/**
 * Usage by quarter of an hour, beside the events, so that a month is read from thousands of rows and not from millions.
 * It is folded in behind the writers and is never older than its reader: what was not folded yet, and what a correction
 * rewrote since, is read from the events themselves, in the same statement.
 */
export const usageRollupMigration = sqlMigration(
  'LedgerUsageRollup',
  1_700_000_004_000,
  `
-- Zones are whole quarters of an hour apart from UTC: hours, days, weeks and months begin with a bucket.
create table usage_rollup (
  tenant_id uuid not null,
  customer_id uuid not null,
  meter text not null,
  bucket timestamptz not null,
  grp jsonb not null,
  events bigint not null,
  -- Of quantities; null where the events have values instead, for a unique count.
  total numeric,
  lowest numeric,
  highest numeric,
  primary key (tenant_id, customer_id, meter, bucket, grp)
) with (fillfactor = 80);

-- Slices whose events are not folded in yet; the row is written in the transaction that writes the events.
create table unfolded_slice (
  slice_id bigint primary key
);

-- Buckets of which an event was rewritten, to be counted anew.
create table usage_rollup_dirty (
  tenant_id uuid not null,
  customer_id uuid not null,
  meter text not null,
  bucket timestamptz not null,
  primary key (tenant_id, customer_id, meter, bucket)
);

create function usage_bucket(at timestamptz) returns timestamptz language sql immutable parallel safe as $$
  select date_bin('15 minutes', at, '2000-01-01T00:00:00Z'::timestamptz)
$$;

create function note_rewritten_usage() returns trigger language plpgsql as $$
begin
  insert into usage_rollup_dirty (tenant_id, customer_id, meter, bucket)
  select r.tenant_id, r.customer_id, r.meter, usage_bucket(r.occurred_at)
    from (values (old.tenant_id, old.customer_id, old.meter, old.occurred_at),
                 (new.tenant_id, new.customer_id, new.meter, new.occurred_at))
         as r (tenant_id, customer_id, meter, occurred_at)
   where r.meter is not null
   group by 1, 2, 3, 4 order by 1, 2, 3, 4
  on conflict do nothing;
  return null;
end $$;
create trigger usage_rewritten after update of meter, quantity, value, grp, slice_id on usage_event
  for each row when (old.meter is distinct from new.meter or old.quantity is distinct from new.quantity
                     or old.grp is distinct from new.grp or old.slice_id <> new.slice_id)
  execute function note_rewritten_usage();

-- A correction that adds rows adds them in a slice of its own.
create function note_corrected_slice() returns trigger language plpgsql as $$
begin
  insert into unfolded_slice (slice_id) values (new.slice_id) on conflict do nothing;
  return null;
end $$;
create trigger usage_corrected after insert on usage_correction
  for each row execute function note_corrected_slice();
`,
);
