/** Keeps writers out while the wallet's other rows are read, so that they belong together. */
export const shareWallet = {
  name: 'ledger_share_wallet',
  text: 'select id from wallet where id = $1::bigint for share',
};

/** What each lot and the debt were by effect at $2, of what was posted by $3. */
export const pastLots = {
  name: 'ledger_past_lots',
  text: `
select l.id, l.wallet_id, l.grant_id, l.grant_key, l.kind, l.priority, l.effective_at, l.expires_at, l.features,
       l.amount, coalesce(sum(j.free), 0)::numeric(38,9) as remaining, coalesce(sum(j.held), 0)::numeric(38,9) as held,
       case when bool_or(j.kind = 'void') then 'voided' when bool_or(j.kind = 'expiry') then 'expired' else 'live' end as state
  from lot l
  join journal j on j.wallet_id = l.wallet_id and j.lot_id = l.id
 where l.wallet_id = $1::bigint and j.posted_at <= $3::timestamptz
   and (j.effective_at <= $2::timestamptz or (j.kind = 'grant' and j.posted_at <= $2::timestamptz))
 group by l.id`,
};

export const pastDebt = {
  name: 'ledger_past_debt',
  text: `
select coalesce(sum(debt), 0)::numeric(38,9) as debt from journal
 where wallet_id = $1::bigint and posted_at <= $3::timestamptz and effective_at <= $2::timestamptz`,
};

export const statement = {
  name: 'ledger_statement',
  text: `
select j.version, j.posted_at, j.effective_at, j.kind, j.lot_id, j.free, j.held, j.debt, j.feature, j.reference, l.grant_key
  from journal j
  left join lot l on l.id = j.lot_id
 where j.wallet_id = $1::bigint and ($2::timestamptz is null or j.posted_at >= $2::timestamptz)
   and ($3::timestamptz is null or j.posted_at < $3::timestamptz)
 order by j.version`,
};

export const balanceBefore = {
  name: 'ledger_balance_before',
  text: `
select coalesce(sum(free - debt), 0)::numeric(38,9) as balance from journal
 where wallet_id = $1::bigint and $2::timestamptz is not null and posted_at < $2::timestamptz`,
};

/** Counts what contradicts the journal. */
export const verify = {
  name: 'ledger_verify',
  text: `
with folded as (
  select wallet_id, sum(free) as free, sum(held) as held, sum(debt) as debt, count(*) as rows, min(version) as first,
         max(version) as last, count(*) filter (where free + held - debt + contra <> 0) as uneven
    from journal where tenant_id = $1::uuid group by wallet_id
), lots as (
  select wallet_id, sum(remaining) as free, sum(held) as held from lot where tenant_id = $1::uuid group by wallet_id
), debts as (
  select wallet_id, sum(total - repaid) as debt from debt where tenant_id = $1::uuid group by wallet_id
)
select count(*) filter (where coalesce(f.uneven, 0) > 0
                           or coalesce(f.free, 0) <> w.free or coalesce(f.held, 0) <> w.held or coalesce(f.debt, 0) <> w.debt
                           or coalesce(l.free, 0) <> w.free or coalesce(l.held, 0) <> w.held
                           or coalesce(d.debt, 0) <> w.debt) as unbalanced,
       count(*) filter (where coalesce(f.rows, 0) <> w.version or coalesce(f.last, 0) <> w.version
                           or coalesce(f.first, 1) <> 1) as gaps
  from wallet w
  left join folded f on f.wallet_id = w.id
  left join lots l on l.wallet_id = w.id
  left join debts d on d.wallet_id = w.id
 where w.tenant_id = $1::uuid`,
};
