export const unpublishedWallets = {
  name: 'ledger_unpublished_wallets',
  text: `
select tenant_id,
       array_agg(id order by abs(free - debt - told) / nullif(abs(told), 0) desc nulls first) as ids
  from wallet where published_revision < revision group by tenant_id`,
};

/** Of a quota only a period that has not ended is news to a gate: what is due was rolled over, or will be. */
export const unpublishedCounters = {
  name: 'ledger_unpublished_counters',
  text: `
select distinct tenant_id, customer_id, feature, kind, scope from usage_counter
 where published_revision < revision
   and (kind = 'spend' or (kind = 'quota' and (due_at is not null or period_end is null)))`,
};

/** Locks and marks in one statement; a wallet published meanwhile by a flip is left out. */
export const takeWallets = {
  name: 'ledger_take_wallets',
  text: `
with due as (
  select id from wallet where id = any ($1::bigint[]) and published_revision < revision order by id for no key update
)
update wallet w set published_revision = w.revision, told = w.free - w.debt from due where w.id = due.id returning w.id`,
};

/** The one of the highest version of each, which a new period raises most (factsVersion); older ones are history. */
export const takeCounters = {
  name: 'ledger_take_counters',
  text: `
with newest as (
  select distinct on (c.tenant_id, c.customer_id, c.feature, c.kind, c.scope)
         c.tenant_id, c.customer_id, c.feature, c.kind, c.scope, c.period_start
    from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as k (customer_id, feature, kind, scope)
    join usage_counter c on c.tenant_id = $1::uuid and c.customer_id = k.customer_id and c.feature = k.feature
                        and c.kind = k.kind and c.scope = k.scope and c.revision > 0
   order by c.tenant_id, c.customer_id, c.feature, c.kind, c.scope,
            floor(extract(epoch from c.period_start)) * 100000 + c.revision desc
)
update usage_counter c set published_revision = c.revision, told = c.included - c.used
  from newest n
 where c.tenant_id = n.tenant_id and c.customer_id = n.customer_id and c.feature = n.feature and c.kind = n.kind
   and c.scope = n.scope and c.period_start = n.period_start and c.published_revision < c.revision
returning c.tenant_id, c.customer_id, c.feature, c.kind, c.scope, c.period_start, c.period_end, c.included, c.used,
          c.quota_limit, c.revision`,
};
