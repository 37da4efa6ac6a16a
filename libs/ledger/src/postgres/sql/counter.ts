/** In the order of the key, for everyone: what two transactions both lock they lock in one order. */
export const lockCounters = {
  name: 'ledger_lock_counters',
  text: `
select c.tenant_id, c.customer_id, c.feature, c.kind, c.scope, c.period_start, c.period_end, c.included, c.used,
       c.quota_limit, c.revision
  from usage_counter c
  join unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
       as k (tenant_id, customer_id, feature, kind, scope, period_start)
 using (tenant_id, customer_id, feature, kind, scope, period_start)
 order by c.tenant_id, c.customer_id, c.feature, c.kind, c.scope, c.period_start
   for no key update of c`,
};

/** A new counter of a quota is due at its period's end, where the next one is published. */
export const saveCounters = {
  name: 'ledger_save_counters',
  text: `
insert into usage_counter as c (tenant_id, customer_id, feature, kind, scope, period_start, period_end, included, used,
                                quota_limit, revision, published_revision, due_at)
select u.tenant_id, u.customer_id, u.feature, u.kind, u.scope, u.period_start, u.period_end, u.included, u.used,
       u.quota_limit, u.revision, case when u.published then u.revision else 0 end,
       case when u.kind = 'quota' then u.period_end end
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
              $8::numeric[], $9::numeric[], $10::text[], $11::bigint[], $12::boolean[])
       as u (tenant_id, customer_id, feature, kind, scope, period_start, period_end, included, used, quota_limit,
             revision, published)
 order by u.tenant_id, u.customer_id, u.feature, u.kind, u.scope, u.period_start
on conflict (tenant_id, customer_id, feature, kind, scope, period_start) do update
   set included = excluded.included, used = excluded.used, quota_limit = excluded.quota_limit,
       revision = greatest(c.revision + 1, excluded.revision),
       published_revision = greatest(c.published_revision, excluded.published_revision)`,
};

export const countedSince = {
  name: 'ledger_counted_since',
  text: `
select coalesce(sum(quantity), 0)::numeric(38,9) as counted from usage_event
 where tenant_id = $1::uuid and customer_id = $2::uuid and feature = $3
   and occurred_at >= $4::timestamptz and ($5::timestamptz is null or occurred_at < $5::timestamptz)`,
};
