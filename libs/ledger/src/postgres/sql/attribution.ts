export const journalRow = {
  name: 'ledger_journal_row',
  text: `
select j.version, j.kind, j.effective_at, j.lot_id, j.debt_id, j.free, j.debt, j.posted_at, j.slice_id, j.feature, j.reference,
       l.grant_key
  from journal j
  left join lot l on l.id = j.lot_id
 where j.wallet_id = $1::bigint and j.version = $2::bigint`,
};

/** In the order of their places; a slice is one of usage or of one correction. */
export const chargesOfSlice = {
  name: 'ledger_charges_of_slice',
  text: `
select 'usage' as kind, e.source, e.event_id, e.occurred_at, e.amount, e.position
  from usage_event e
 where e.slice_id = $2::bigint and e.wallet_id = $1::bigint and e.feature = $3 and e.amount > 0
union all
select 'correction', e.source, e.event_id, e.occurred_at, c.amount, c.position
  from usage_charge c
  join usage_event e on e.identity = c.event and e.ordinal = 0
 where c.slice_id = $2::bigint and c.wallet_id = $1::bigint and c.feature = $3
 order by position`,
};

export const correctedIn = {
  name: 'ledger_corrected_in',
  text: `
select e.source, e.event_id, e.occurred_at
  from usage_correction c
  join usage_event e on e.identity = c.event and e.ordinal = 0
 where c.slice_id = $1::bigint`,
};
