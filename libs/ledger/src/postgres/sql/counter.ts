import type { Gauge } from '../../domain';
import { AGGREGATES } from './aggregate';

/** In the order of the key, for everyone: what two transactions both lock they lock in one order. */
export const lockCounters = {
  name: 'ledger_lock_counters',
  text: `
select c.tenant_id, c.customer_id, c.feature, c.kind, c.scope, c.period_start, c.period_end, c.included, c.used,
       c.quota_limit, c.revision, c.told, c.events, c.total, c.latest_at
  from usage_counter c
  join unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
       as k (tenant_id, customer_id, feature, kind, scope, period_start)
 using (tenant_id, customer_id, feature, kind, scope, period_start)
 order by c.tenant_id, c.customer_id, c.feature, c.kind, c.scope, c.period_start
   for no key update of c`,
};

/**
 * Places for counters that are not there, so that whoever begins one holds its lock: two that both found nothing would
 * each write what it counted alone. Revision 0: nothing was saved yet.
 */
export const placeCounters = {
  name: 'ledger_place_counters',
  text: `
insert into usage_counter (tenant_id, customer_id, feature, kind, scope, period_start, included, used, quota_limit, revision)
select k.tenant_id, k.customer_id, k.feature, k.kind, k.scope, k.period_start, 0, 0, 'hard', 0
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
       as k (tenant_id, customer_id, feature, kind, scope, period_start)
 order by k.tenant_id, k.customer_id, k.feature, k.kind, k.scope, k.period_start
on conflict do nothing`,
};

/** A new counter of a quota is due at its period's end, where the next one is published. */
export const saveCounters = {
  name: 'ledger_save_counters',
  text: `
insert into usage_counter as c (tenant_id, customer_id, feature, kind, scope, period_start, period_end, included, used,
                                quota_limit, revision, published_revision, told, due_at)
select u.tenant_id, u.customer_id, u.feature, u.kind, u.scope, u.period_start, u.period_end, u.included, u.used,
       u.quota_limit, u.revision, case when u.published then u.revision else 0 end,
       case when u.published then u.included - u.used end,
       case when u.kind = 'quota' then u.period_end end
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
              $8::numeric[], $9::numeric[], $10::text[], $11::bigint[], $12::boolean[])
       as u (tenant_id, customer_id, feature, kind, scope, period_start, period_end, included, used, quota_limit,
             revision, published)
 order by u.tenant_id, u.customer_id, u.feature, u.kind, u.scope, u.period_start
on conflict (tenant_id, customer_id, feature, kind, scope, period_start) do update
   set included = excluded.included, used = excluded.used, quota_limit = excluded.quota_limit,
       period_end = case when c.revision = 0 then excluded.period_end else c.period_end end,
       due_at = case when c.revision = 0 then excluded.due_at else c.due_at end,
       revision = greatest(c.revision + 1, excluded.revision),
       published_revision = greatest(c.published_revision, excluded.published_revision),
       told = coalesce(excluded.told, c.told)`,
};

/** What the values of meters that do not add up are made of; after the counters themselves were saved. */
export const savePeriodValues = {
  name: 'ledger_save_period_values',
  text: `
update usage_counter c set events = u.events, total = u.total, latest_at = u.latest_at
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[],
              $8::numeric[], $9::timestamptz[])
       as u (tenant_id, customer_id, feature, kind, scope, period_start, events, total, latest_at)
 where c.tenant_id = u.tenant_id and c.customer_id = u.customer_id and c.feature = u.feature and c.kind = u.kind
   and c.scope = u.scope and c.period_start = u.period_start`,
};

/** Places of those values that their counters have counted. A value is kept by its digest: it may be a long text. */
export const countedValues = {
  name: 'ledger_counted_values',
  text: `
select v.place::integer - 1 as place
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
       with ordinality
       as v (tenant_id, customer_id, feature, kind, scope, period_start, value, place)
  join counted_value c
    on c.tenant_id = v.tenant_id and c.customer_id = v.customer_id and c.feature = v.feature and c.kind = v.kind
   and c.period_start = v.period_start and c.digest = sha256(convert_to(v.value, 'UTF8'))`,
};

export const countValues = {
  name: 'ledger_count_values',
  text: `
insert into counted_value (tenant_id, customer_id, feature, kind, period_start, digest)
select v.tenant_id, v.customer_id, v.feature, v.kind, v.period_start, sha256(convert_to(v.value, 'UTF8'))
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
       as v (tenant_id, customer_id, feature, kind, scope, period_start, value)
on conflict do nothing`,
};

export const countedSince = {
  name: 'ledger_counted_since',
  text: `
select coalesce(sum(quantity), 0)::numeric(38,9) as counted from usage_event
 where tenant_id = $1::uuid and customer_id = $2::uuid and feature = $3
   and occurred_at >= $4::timestamptz and ($5::timestamptz is null or occurred_at < $5::timestamptz)`,
};

/** As charged, and as corrected since; and as requested. */
const DEBITED = `
select coalesce(sum(debited.amount), 0)::numeric(38,9) as debited
  from (select e.amount, e.wallet_id from usage_event e
         where e.tenant_id = $1::uuid and e.customer_id = $2::uuid and e.feature = $3
           and e.occurred_at >= $5::timestamptz and e.occurred_at < $6::timestamptz
        union all
        select c.amount, c.wallet_id from usage_charge c
          join usage_event e on e.identity = c.event and e.ordinal = 0
         where c.tenant_id = $1::uuid and c.customer_id = $2::uuid and c.feature = $3
           and e.occurred_at >= $5::timestamptz and e.occurred_at < $6::timestamptz
        union all
        select -j.free - j.held, j.wallet_id from journal j
         where j.tenant_id = $1::uuid and j.feature = $3 and j.kind in ('debit', 'capture')
           and j.wallet_id in (select id from wallet where tenant_id = $1::uuid and customer_id = $2::uuid)
           and j.posted_at >= $5::timestamptz and j.posted_at < $6::timestamptz) as debited
  join wallet w on w.id = debited.wallet_id and w.unit = $4`;

export const debitedIn = { name: 'ledger_debited_in', text: DEBITED };

/** In one snapshot: what moved both since is in both. */
export const missedBy = {
  name: 'ledger_missed_by_counter',
  text: `
select d.debited - c.used as missed
  from (${DEBITED}) as d
  join usage_counter c
    on c.tenant_id = $1::uuid and c.customer_id = $2::uuid and c.feature = $3 and c.kind = 'spend'
   and c.scope = $7 and c.period_start = $5::timestamptz`,
};

/** In the order of factsVersion, which spend counters share by the period of their caps. */
export const latestCounter = {
  name: 'ledger_latest_counter',
  text: `
select c.tenant_id, c.customer_id, c.feature, c.kind, c.scope, c.period_start, c.period_end, c.included, c.used,
       c.quota_limit, c.revision
  from usage_counter c
 where c.tenant_id = $1::uuid and c.customer_id = $2::uuid and c.feature = $3 and c.kind = $4
   and split_part(c.scope, ' ', 1) = split_part($5, ' ', 1) and c.revision > 0
 order by floor(extract(epoch from c.period_start)) * 100000 + c.revision desc limit 1`,
};

/** What a feature counted in a period; the aggregate is the meter's. */
export function recount(gauge: Gauge): { readonly name: string; readonly text: string } {
  return {
    name: `ledger_recount_${gauge}`,
    text: `
select count(*) as events, coalesce(sum(quantity), 0)::numeric(38,9) as total, max(occurred_at) as latest_at,
       coalesce(${AGGREGATES[gauge]}, 0)::numeric(38,9) as used
  from usage_event
 where tenant_id = $1::uuid and customer_id = $2::uuid and feature = $3
   and occurred_at >= $4::timestamptz and ($5::timestamptz is null or occurred_at < $5::timestamptz)
   and (quantity is not null or value is not null)`,
  };
}

export const forgetValues = {
  name: 'ledger_forget_values',
  text: `
delete from counted_value
 where tenant_id = $1::uuid and customer_id = $2::uuid and feature = $3 and kind = $4 and period_start = $5::timestamptz`,
};

export const recountValues = {
  name: 'ledger_recount_values',
  text: `
insert into counted_value (tenant_id, customer_id, feature, kind, period_start, digest)
select distinct tenant_id, customer_id, feature, $4, $5::timestamptz, sha256(convert_to(value, 'UTF8'))
  from usage_event
 where tenant_id = $1::uuid and customer_id = $2::uuid and feature = $3 and value is not null
   and occurred_at >= $5::timestamptz and ($6::timestamptz is null or occurred_at < $6::timestamptz)
on conflict do nothing`,
};
