/** Keeps writers out while the wallet's other rows are read, so that they belong together. */
export const shareWallet = {
  name: 'ledger_share_wallet',
  text: 'select id from wallet where id = $1::bigint for share',
};

/** Between two versions, which are checkpoints around the period. */
export const statement = {
  name: 'ledger_statement',
  text: `
select j.version, j.posted_at, j.effective_at, j.kind, j.lot_id, j.free, j.held, j.debt, j.feature, j.reference, l.grant_key
  from journal j
  left join lot l on l.id = j.lot_id
 where j.wallet_id = $1::bigint and j.version > $4::bigint and j.version <= $5::bigint
   and ($2::timestamptz is null or j.posted_at >= $2::timestamptz)
   and ($3::timestamptz is null or j.posted_at < $3::timestamptz)
 order by j.version`,
};

/** What was posted before $2: up to a checkpoint as it says, and the rows between it and the next one. */
export const balanceBefore = {
  name: 'ledger_balance_before',
  text: `
select (coalesce((select balance from wallet_checkpoint where wallet_id = $1::bigint and version = $3::bigint), 0)
        + coalesce(sum(free - debt), 0))::numeric(38,9) as balance
  from journal
 where wallet_id = $1::bigint and version > $3::bigint and version <= $4::bigint
   and $2::timestamptz is not null and posted_at < $2::timestamptz`,
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
