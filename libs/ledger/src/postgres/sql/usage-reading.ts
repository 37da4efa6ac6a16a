/** What events of one meter, window and group come to. */
const PARTS =
  'sum(events)::bigint as events, sum(total) as total, min(lowest) as lowest, max(highest) as highest';

const OWN = 'tenant_id = $1::uuid and customer_id = $2::uuid and meter = $3';
const RAW =
  'e.grp, num_nonnulls(e.quantity) as events, e.quantity as total, e.quantity as lowest, e.quantity as highest from usage_event e';
const PLACE = 'width_bucket(e.occurred_at, $4::timestamptz[]) - 1 as place';
const WITHIN = (from: string, to: string): string =>
  `e.occurred_at >= ${from}::timestamptz and e.occurred_at < ${to}::timestamptz`;

/** The group as asked for; the keys that were not asked for fall together. */
const GROUPING = '(select jsonb_object_agg(k, grp ->> k) from unnest($5::text[]) as k) as grouping';
/** {group: [values]}: one of the values, for each group; an empty text stands for a group that is not there. */
const FILTER = (parameter: string): string => `not exists (
         select from jsonb_each(${parameter}::jsonb) as f (k, wanted)
          where not wanted ? coalesce(grp ->> k, ''))`;

/**
 * Count, sum, min, max and avg, from whole buckets in [$8, $9) and from events elsewhere: at the edges, in slices not
 * folded yet, and everywhere while a bucket of the meter waits to be counted anew. One statement, so one snapshot: an
 * event is in exactly one of the arms.
 */
export const readParts = {
  name: 'ledger_usage_parts',
  text: `
with dirty as materialized (select exists (select from usage_rollup_dirty where ${OWN}) as found),
arms as (
  select width_bucket(r.bucket, $4::timestamptz[]) - 1 as place, r.grp, r.events, r.total, r.lowest, r.highest
    from usage_rollup r
   where ${OWN} and r.bucket >= $8::timestamptz and r.bucket < $9::timestamptz and not (select found from dirty)
  union all
  select ${PLACE}, ${RAW}
   where ${OWN} and ${WITHIN('$8', '$9')} and e.slice_id = any (array(select slice_id from unfolded_slice))
     and not (select found from dirty)
  union all
  select ${PLACE}, ${RAW} where ${OWN} and ${WITHIN('$8', '$9')} and (select found from dirty)
  union all
  select ${PLACE}, ${RAW} where ${OWN} and ${WITHIN('$6', '$8')}
  union all
  select ${PLACE}, ${RAW} where ${OWN} and ${WITHIN('$9', '$7')}
),
grouped as (
  select place, coalesce(grp, '{}') as grp, ${PARTS} from arms group by 1, 2
)
select place, ${GROUPING}, ${PARTS} from grouped where ${FILTER('$10')} group by 1, 2`,
};

const FROM_EVENTS = {
  latest: '(array_agg(quantity order by occurred_at desc, slice_id desc, position desc))[1]',
  unique_count: 'count(distinct value)',
};

/** What does not add up over parts is read from the events. */
function fromEvents(aggregation: keyof typeof FROM_EVENTS): { readonly name: string; readonly text: string } {
  return {
    name: `ledger_usage_${aggregation}`,
    text: `
select ${PLACE}, ${GROUPING}, ${FROM_EVENTS[aggregation]} as value
  from usage_event e
 where ${OWN} and ${WITHIN('$6', '$7')} and ${FILTER('$8')}
 group by 1, 2`,
  };
}

export const readFromEvents = { latest: fromEvents('latest'), unique_count: fromEvents('unique_count') };

/** The time of the first event: from the first bucket, or from what is not in a bucket yet. */
export const readFirst = {
  name: 'ledger_usage_first',
  text: `
with dirty as materialized (select exists (select from usage_rollup_dirty where ${OWN}) as found),
begins as materialized (
  select min(at) as at from (
    select min(bucket) as at from usage_rollup where ${OWN}
    union all
    select min(e.occurred_at) from usage_event e
     where ${OWN} and e.slice_id = any (array(select slice_id from unfolded_slice))
  ) as either
)
select min(at) as first from (
  select min(e.occurred_at) as at from usage_event e
   where ${OWN} and not (select found from dirty)
     and e.occurred_at >= (select at from begins) and e.occurred_at < (select at + interval '15 minutes' from begins)
  union all
  select min(e.occurred_at) from usage_event e where ${OWN} and (select found from dirty)
) as found`,
};
