/** One process folds at a time. */
export const claimFolding = {
  name: 'ledger_claim_folding',
  text: `
select pg_try_advisory_xact_lock(hashtextextended('ledger.usage_rollup', 0)) as claimed,
       (select max(slice_id) from unfolded_slice) as newest`,
};

/** The oldest, at most $1 of them and no more after $2 rows: nobody else takes any. */
export const takeUnfolded = {
  name: 'ledger_take_unfolded',
  text: `
with oldest as (
  select slice_id, rows from unfolded_slice order by slice_id limit $1::integer
), due as (
  select slice_id, sum(coalesce(rows, 0)) over (order by slice_id) - coalesce(rows, 0) as before from oldest
)
delete from unfolded_slice u using due d where u.slice_id = d.slice_id and d.before < $2::bigint
returning u.slice_id, u.generation, u.rows, u.page`,
};

const PARTS = `count(e.quantity), sum(e.quantity), min(e.quantity), max(e.quantity)`;
const KEY = `e.tenant_id, e.customer_id, e.meter, usage_bucket(e.occurred_at), coalesce(e.grp, '{}')`;
const COLUMNS = 'tenant_id, customer_id, meter, bucket, grp, events, total, lowest, highest';
const ADD = `
on conflict (tenant_id, customer_id, meter, bucket, grp) do update
   set events = r.events + excluded.events, total = coalesce(r.total + excluded.total, r.total, excluded.total),
       lowest = least(r.lowest, excluded.lowest), highest = greatest(r.highest, excluded.highest)`;

/** Wherever their rows are. The range finds the slices' pages where a vacuum has summed them up, the list the slices. */
export const foldSlices = {
  name: 'ledger_fold_slices',
  text: `
insert into usage_rollup as r (${COLUMNS})
select ${KEY}, ${PARTS} from usage_event e
 where e.slice_id between $2::bigint and $3::bigint and e.slice_id = any ($1::bigint[])
   and e.meter is not null
 group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5${ADD}`,
};

/**
 * From one place to another of a generation's table alone: events that no vacuum has passed yet have no index by slice.
 * Adds nothing unless all $5 rows of the slices are there; says whether they were.
 */
export const foldPlaces = {
  name: 'ledger_fold_places',
  text: `
with seen (${COLUMNS}, rows) as materialized (
  select ${KEY}, ${PARTS}, count(*) from usage_event e
   where e.generation = $2::smallint and e.ctid >= $3::tid and e.ctid < $4::tid and e.slice_id = any ($1::bigint[])
   group by 1, 2, 3, 4, 5
), whole as materialized (
  select coalesce(sum(rows), 0) = $5::bigint as whole from seen
), folded as (
  insert into usage_rollup as r (${COLUMNS})
  select ${COLUMNS} from seen where meter is not null and (select whole from whole) order by 1, 2, 3, 4, 5${ADD}
)
select whole from whole`,
};

export const takeDirty = {
  name: 'ledger_take_dirty',
  text: `
delete from usage_rollup_dirty where (tenant_id, customer_id, meter, bucket) in (
  select tenant_id, customer_id, meter, bucket from usage_rollup_dirty
   order by 1, 2, 3, 4 limit $1::integer for update skip locked)
returning tenant_id, customer_id, meter, bucket`,
};

const DIRTY = `unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) as d (tenant_id, customer_id, meter, bucket)`;

export const dropBuckets = {
  name: 'ledger_drop_buckets',
  text: `
delete from usage_rollup r using ${DIRTY}
 where (r.tenant_id, r.customer_id, r.meter, r.bucket) = (d.tenant_id, d.customer_id, d.meter, d.bucket)`,
};

/** Slices not folded yet come by themselves. */
export const recountBuckets = {
  name: 'ledger_recount_buckets',
  text: `
insert into usage_rollup (${COLUMNS})
select ${KEY}, ${PARTS} from ${DIRTY}
  join usage_event e on e.tenant_id = d.tenant_id and e.customer_id = d.customer_id and e.meter = d.meter
                    and e.occurred_at >= d.bucket and e.occurred_at < d.bucket + interval '15 minutes'
 where e.slice_id <> all (array(select slice_id from unfolded_slice))
 group by 1, 2, 3, 4, 5`,
};
