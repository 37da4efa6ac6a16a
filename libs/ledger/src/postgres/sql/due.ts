/** Live tenants by the machine's time, test tenants by their own clock; each part reads its index of due rows only. */
export const dueWallets = {
  name: 'ledger_due_wallets',
  text: `
(select w.id, w.tenant_id from wallet w
  where w.due_at <= $2::timestamptz and ($1::uuid is null or w.tenant_id = $1::uuid)
    and not exists (select from tenant_clock c where c.tenant_id = w.tenant_id)
  order by w.due_at limit $3)
union all
(select w.id, w.tenant_id from tenant_clock c join wallet w on w.tenant_id = c.tenant_id and w.due_at <= c.now
  where $1::uuid is null or c.tenant_id = $1::uuid
  order by w.due_at limit $3)`,
};

export const dueQuotas = {
  name: 'ledger_due_quotas',
  text: `
(select q.tenant_id, q.customer_id, q.feature, q.period_start from usage_counter q
  where q.due_at <= $2::timestamptz and ($1::uuid is null or q.tenant_id = $1::uuid)
    and not exists (select from tenant_clock c where c.tenant_id = q.tenant_id)
  order by q.due_at limit $3)
union all
(select q.tenant_id, q.customer_id, q.feature, q.period_start
   from tenant_clock c join usage_counter q on q.tenant_id = c.tenant_id and q.due_at <= c.now
  where $1::uuid is null or c.tenant_id = $1::uuid
  order by q.due_at limit $3)`,
};

/** No row: another sweep rolled it over. */
export const rolledOver = {
  name: 'ledger_rolled_over',
  text: `
update usage_counter set due_at = null
 where tenant_id = $1::uuid and customer_id = $2::uuid and feature = $3 and kind = 'quota' and scope = ''
   and period_start = $4::timestamptz and due_at is not null`,
};

export const nextDue = {
  name: 'ledger_next_due',
  text: `
select least((select min(due_at) from wallet where tenant_id = $1::uuid and due_at > $2::timestamptz),
             (select min(due_at) from usage_counter where tenant_id = $1::uuid and due_at > $2::timestamptz)) as due_at`,
};
