/** Alone among those who read prices; see the function announced_prices. */
export const alone = {
  name: 'ledger_prices_alone',
  text: `select pg_advisory_xact_lock(hashtextextended('ledger.prices' || $1, 0))`,
};

/** Shares the tenants' prices with other readers, then reads what is announced, with a snapshot taken after the lock. */
export const announcedPrices = {
  name: 'ledger_announced_prices',
  text: 'select tenant_id, revision, rows from announced_prices($1::uuid[])',
};

export const announcedAfter = {
  name: 'ledger_announced_after',
  text: `select rows from announced_price where tenant_id = $1::uuid and revision > $2 order by revision, id`,
};

export const announce = {
  name: 'ledger_announce_price',
  text: `
insert into announced_price (id, tenant_id, revision, rows) values ($1::uuid, $2::uuid, $3, $4::jsonb)
on conflict do nothing`,
};

export const withdraw = {
  name: 'ledger_withdraw_price',
  text: `delete from announced_price where tenant_id = $1::uuid and id = $2::uuid`,
};

export const settle = {
  name: 'ledger_settle_prices',
  text: `delete from announced_price where tenant_id = $1::uuid and revision <= $2`,
};

/** A charge of 0 is a charge; what included units covered was not priced, and what was reversed says nothing any more. */
export const ratedUsage = {
  name: 'ledger_rated_usage',
  text: `
select e.feature, coalesce(e.grp, '{}') as grp, min(e.occurred_at) as earliest from usage_event e
 where e.tenant_id = $1::uuid and e.feature = any ($2::text[])
   and (e.quantity is not null or e.value is not null)
   and (e.amount is not null or exists (select from usage_charge c where c.event = e.identity and c.feature = e.feature
                                                                     and c.wallet_id is not null))
   and ($3::timestamptz is null or e.occurred_at >= $3::timestamptz)
   and ($4::timestamptz is null or e.occurred_at < $4::timestamptz)
   and coalesce(e.grp, '{}') @> $5::jsonb
 group by 1, 2 order by 3`,
};
