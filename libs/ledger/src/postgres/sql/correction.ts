/** Counters before wallets, each in the order of its key: as everyone locks them. */
export const lockCountersOf = {
  name: 'ledger_lock_counters_of',
  text: `
select 1 from usage_counter c
  join unnest($1::uuid[], $2::uuid[]) as k (tenant_id, customer_id) using (tenant_id, customer_id)
 order by c.tenant_id, c.customer_id, c.feature, c.kind, c.scope, c.period_start
   for no key update of c`,
};

export const lockWalletsOf = {
  name: 'ledger_lock_wallets_of',
  text: `
select 1 from wallet w join unnest($1::uuid[], $2::uuid[]) as k (tenant_id, customer_id) using (tenant_id, customer_id)
 order by w.id for no key update of w`,
};

/** No row: no such event. Whatever generation it lies in; a correction is no event that could be corrected. */
export const eventRows = {
  name: 'ledger_event_rows',
  text: `
select e.customer_id, e.source, e.event_id, e.occurred_at, e.payload, e.ordinal, e.meter, e.quantity, e.value, e.grp, e.feature,
       e.slice_id, e.position, e.wallet_id, w.unit, e.amount, e.included
  from usage_event e
  left join wallet w on w.id = e.wallet_id
 where e.identity = $2::uuid and e.tenant_id = $1::uuid
   and not exists (select from usage_correction c where c.identity = $2::uuid)
 order by e.ordinal`,
};

export const laterCharges = {
  name: 'ledger_later_charges',
  text: `
select 'correction' as kind, c.feature, c.wallet_id, w.unit, c.slice_id, c.position, c.amount, c.included
  from usage_charge c
  left join wallet w on w.id = c.wallet_id
 where c.event = $1::uuid order by c.slice_id, c.position`,
};

export const correctionsOf = {
  name: 'ledger_corrections_of',
  text: `
select kind, applied, source, correction_id, type, posted_at, slice_id from usage_correction
 where event = $1::uuid order by posted_at, slice_id`,
};

/** Charges of the same feature on the same wallet that stand before it in the slice. */
export const chargedAhead = {
  name: 'ledger_charged_ahead',
  text: `
select coalesce(sum(e.amount), 0)::numeric(38,9) as ahead from usage_event e
 where e.slice_id = $1::bigint and e.wallet_id = $2::bigint and e.feature = $3 and e.position < $4::integer`,
};

const ROW = 'version, kind, effective_at, lot_id, debt_id, free, debt';

export const rowsOfSlice = {
  name: 'ledger_rows_of_slice',
  text: `
select ${ROW} from journal
 where slice_id = $1::bigint and wallet_id = $2::bigint and feature = $3 and kind in ('usage', 'debt', 'correction')
 order by version`,
};

export const rowsOfDebt = {
  name: 'ledger_rows_of_debt',
  text: `select ${ROW} from journal where debt_id = $1::uuid and wallet_id = $2::bigint order by version`,
};

export const holesOf = {
  name: 'ledger_debt_holes',
  text: 'select version, hole_from, hole_to from debt_hole where debt_id = $1::uuid order by hole_from',
};

export const lotsById = {
  name: 'ledger_lots_by_id',
  text: `
select id, wallet_id, grant_id, grant_key, kind, priority, effective_at, expires_at, features, amount, remaining, held, state
  from lot where id = any ($1::uuid[])`,
};

/**
 * What the price's period had counted before the event, as far as its rows say: those before it in the order of slices,
 * with what corrections changed of them since, which is what they count now.
 */
export const chargedBefore = {
  name: 'ledger_charged_before',
  text: `
select coalesce(sum(greatest(e.quantity - coalesce(e.included, 0), 0)), 0)::numeric(38,9) as charged from usage_event e
 where e.tenant_id = $1::uuid and e.customer_id = $2::uuid and e.feature = $3
   and e.occurred_at >= $4::timestamptz and ($5::timestamptz is null or e.occurred_at < $5::timestamptz)
   and e.wallet_id is not null and e.quantity is not null
   and (e.slice_id, e.position) < ($6::bigint, $7::integer)
   and ($8::jsonb = '{}' or e.grp @> $8::jsonb)`,
};

/** Rows that have nothing to say any more keep their charge: the shares of others count over it. */
export const rewriteRows = {
  name: 'ledger_rewrite_rows',
  text: `
update usage_event e set meter = n.meter, quantity = n.quantity, value = n.value, grp = n.grp
  from unnest($2::smallint[], $3::text[], $4::numeric[], $5::text[], $6::jsonb[]) as n (ordinal, meter, quantity, value, grp)
 where e.identity = $1::uuid and e.ordinal = n.ordinal`,
};

/** In the event's own generation: its correction's slice is then found by its id alone. */
export const addRows = {
  name: 'ledger_add_rows',
  text: `
with elsewhere as (update unfolded_slice set page = null where slice_id = $2::bigint)
insert into usage_event (generation, identity, ordinal, payload, tenant_id, customer_id, source, event_id, meter, quantity,
                         value, grp, occurred_at, slice_id, position, feature)
select e.generation, e.identity, n.ordinal, e.payload, e.tenant_id, e.customer_id, e.source, e.event_id, n.meter, n.quantity,
       n.value, n.grp, e.occurred_at, $2::bigint, 1 + n.ordinal, n.feature
  from usage_event e,
       unnest($3::smallint[], $4::text[], $5::numeric[], $6::text[], $7::jsonb[], $8::text[])
         as n (ordinal, meter, quantity, value, grp, feature)
 where e.identity = $1::uuid and e.ordinal = 0`,
};

export const unpark = {
  name: 'ledger_unpark',
  text: 'delete from parked_usage where tenant_id = $1::uuid and source = $2 and event_id = $3',
};

/** No row: a correction outlives the memory of its identity, so that one that comes again after it changes nothing. */
export const addCorrection = {
  name: 'ledger_add_correction',
  text: `
insert into usage_correction (tenant_id, customer_id, event, identity, source, correction_id, kind, applied, type, posted_at,
                              slice_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (identity) do nothing`,
};

export const addCharges = {
  name: 'ledger_add_charges',
  text: `
insert into usage_charge (tenant_id, customer_id, event, slice_id, position, feature, wallet_id, amount, included)
select $1::uuid, $2::uuid, $3::uuid, $4::bigint, c.position, c.feature, c.wallet_id, c.amount, c.included
  from unnest($5::integer[], $6::text[], $7::bigint[], $8::numeric[], $9::numeric[])
       as c (position, feature, wallet_id, amount, included)`,
};

export const addHoles = {
  name: 'ledger_add_holes',
  text: `
insert into debt_hole (tenant_id, debt_id, wallet_id, version, hole_from, hole_to)
select $1::uuid, h.debt_id, $2::bigint, h.version, h.hole_from, h.hole_to
  from unnest($3::uuid[], $4::bigint[], $5::numeric[], $6::numeric[]) as h (debt_id, version, hole_from, hole_to)`,
};

/** What a correction must know of booked events: whose they are, and what read them. */
export const bookedEvents = {
  name: 'ledger_booked_events',
  text: `
select e.source, e.event_id, e.customer_id,
       array_agg(e.meter) filter (where e.meter is not null) as meters,
       (select c.type from usage_correction c where c.event = e.identity order by c.posted_at desc limit 1) as type
  from usage_event e
 where e.tenant_id = $1::uuid and e.identity = any ($2::uuid[])
   and not exists (select from usage_correction c where c.identity = e.identity)
 group by e.identity, e.source, e.event_id, e.customer_id`,
};
