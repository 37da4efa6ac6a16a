/** How many rows of a wallet's journal lie between two checkpoints: what a past balance reads beside one of them. */
export const ROWS_BETWEEN = 512;

/** A sequential look at the wallets, once a minute; most have never had so many rows, and cost nothing more. */
export const wantingCheckpoints = {
  name: 'ledger_wanting_checkpoints',
  text: `
select w.id from wallet w
 where w.version >= ${ROWS_BETWEEN}
   and w.version >= ${ROWS_BETWEEN} + coalesce((select max(c.version) from wallet_checkpoint c where c.wallet_id = w.id), 0)
 order by w.id limit $1::integer`,
};

/** The next checkpoint of a wallet: the last one and the rows after it. No row: there are not enough of them yet. */
export const addCheckpoint = {
  name: 'ledger_add_checkpoint',
  text: `
with before as (
  select version, debt, lots, balance from wallet_checkpoint where wallet_id = $1::bigint order by version desc limit 1
), since as (
  select coalesce((select version from before), 0) as version
), added as (
  select j.* from journal j, since s
   where j.wallet_id = $1::bigint and j.version > s.version and j.version <= s.version + ${ROWS_BETWEEN}
), lots as (
  select id, sum(free) as free, sum(held) as held, max(state) as state
    from (select key as id, (value->>0)::numeric as free, (value->>1)::numeric as held, value->>2 as state
            from before, jsonb_each(before.lots)
          union all
          select lot_id::text, free, held, case kind when 'void' then 'voided' when 'expiry' then 'expired' end
            from added where lot_id is not null) as rows
   group by id
)
insert into wallet_checkpoint (tenant_id, wallet_id, from_version, version, posted_at, earliest, debt, lots, balance)
select (select tenant_id from wallet where id = $1::bigint), $1::bigint, min(a.version), max(a.version), max(a.posted_at),
       min(least(a.posted_at, a.effective_at)), sum(a.debt) + coalesce((select debt from before), 0),
       coalesce((select jsonb_object_agg(id, jsonb_build_array(free::text, held::text, state)) from lots), '{}'),
       sum(a.free - a.debt) + coalesce((select balance from before), 0)
  from added a
having count(*) = ${ROWS_BETWEEN}
on conflict do nothing
returning version`,
};

/**
 * The last checkpoint all of whose rows count at an instant. Usage may be ahead of its posting by five minutes, which is
 * why the checkpoint is that much older; grants count from their posting.
 */
export const checkpointBefore = {
  name: 'ledger_checkpoint_before',
  text: `
select version, debt, lots, balance from wallet_checkpoint
 where wallet_id = $1::bigint and posted_at <= $2::timestamptz - interval '5 minutes'
 order by version desc limit 1`,
};

/**
 * What the rows after version $4 did by effect at $2, of what was posted by $3, lot by lot and for the debt (lot null).
 * Stretches between later checkpoints none of whose rows is that early are not read.
 */
export const movedSince = {
  name: 'ledger_moved_since',
  text: `
with stretch as (
  select from_version, version from wallet_checkpoint
   where wallet_id = $1::bigint and version > $4::bigint and earliest <= $2::timestamptz
  union all
  select coalesce(max(version), 0) + 1, 9223372036854775807 from wallet_checkpoint where wallet_id = $1::bigint
)
select j.lot_id, sum(j.free)::numeric(38,9) as free, sum(j.held)::numeric(38,9) as held,
       sum(j.debt)::numeric(38,9) as debt,
       case when bool_or(j.kind = 'void') then 'voided' when bool_or(j.kind = 'expiry') then 'expired' end as state
  from stretch s
  join journal j on j.wallet_id = $1::bigint and j.version between s.from_version and s.version
 where j.posted_at <= $3::timestamptz
   and (j.effective_at <= $2::timestamptz or (j.kind = 'grant' and j.posted_at <= $2::timestamptz))
 group by j.lot_id`,
};

/**
 * What repaid debt was given back of: as known now such an event owed nothing before it was repaid either, and a balance
 * between the two does not count it.
 */
export const owedByNobody = {
  name: 'ledger_owed_by_nobody',
  text: `
select coalesce(sum(j.free), 0)::numeric(38,9) as amount
  from journal j join debt d on d.id = j.debt_id
 where j.wallet_id = $1::bigint and j.debt_id is not null and j.kind = 'correction' and j.lot_id is not null and j.free > 0
   and j.posted_at <= $3::timestamptz and j.effective_at > $2::timestamptz and d.occurred_at <= $2::timestamptz`,
};

/** The checkpoints around a period: the rows of a statement lie between them. */
export const statementBounds = {
  name: 'ledger_statement_bounds',
  text: `
select (select max(version) from wallet_checkpoint where wallet_id = $1::bigint and posted_at < $2::timestamptz) as first,
       (select min(version) from wallet_checkpoint where wallet_id = $1::bigint and posted_at >= $3::timestamptz) as last`,
};
