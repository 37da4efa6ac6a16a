/**
 * No row: nobody ever took the partition. Locks the rows, so that an owner's last slice and the next owner queue; in one
 * order, so that two owners of several never wait for each other.
 */
export const claimPositions = {
  name: 'ledger_claim_positions',
  text: `
select o.topic, o.partition, o.next_offset, o.epoch
  from unnest($2::text[], $3::integer[]) as a (topic, partition)
  join consumer_offset o on o.consumer_group = $1 and o.topic = a.topic and o.partition = a.partition
 order by o.topic, o.partition for no key update of o`,
};

/** The epoch grows whenever the owner changes; −1 says that nothing was taken yet. */
export const takeOverPosition = {
  name: 'ledger_take_over_position',
  text: `
insert into consumer_offset as o (consumer_group, topic, partition, next_offset, epoch, owner)
values ($1, $2, $3, -1, 1, $4)
on conflict (consumer_group, topic, partition) do update
   set epoch = o.epoch + (o.owner is distinct from excluded.owner)::integer, owner = excluded.owner
returning next_offset, epoch`,
};

export const advancePositions = {
  name: 'ledger_advance_positions',
  text: `
update consumer_offset o set next_offset = u.next
  from unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[]) as u (topic, partition, next, epoch)
 where o.consumer_group = $1 and o.topic = u.topic and o.partition = u.partition and o.epoch = u.epoch
   and o.next_offset < u.next`,
};

/**
 * The generation that takes new events, and those that an event known from before may lie in. Reading the table keeps
 * whoever opens the next generation out until this transaction has ended: two slices can never write one identity into
 * two generations.
 */
export const openGenerations = {
  name: 'ledger_open_generations',
  text: `
select generation, state = 'current' as current from usage_generation where state in ('current', 'recent')`,
};

/** In one generation: for a list of them PostgreSQL would read the indexes of all. */
export const knownIdentities = {
  name: 'ledger_known_identities',
  text: `
select identity, payload from usage_event
 where generation = $2::smallint and ordinal = 0 and identity = any ($1::uuid[])`,
};

/**
 * Plain, without ON CONFLICT: 30 ms for 4,000 rows where ON CONFLICT DO NOTHING took 41 (PostgreSQL 18, 2 cores; the
 * speculative insert costs a second look at the index and a second WAL record). A stored identity fails the statement.
 * What many events of a slice share comes once, as a dictionary: with every column of every event as a text array, 41 ms
 * became 55. Two tables, one for identities and one for usage, took half as long again; a text key (tenant, source, id)
 * was as fast with sequential ids, with an index twice as large. One row says that the slice is still to be rolled up, and
 * where the table ends once it is written: an index by slice cost every row 1.6 µs, returning the rows' places 0.9.
 */
export const insertEvents = {
  name: 'ledger_insert_events',
  text: `
with unfolded as (
  insert into unfolded_slice (slice_id, generation, rows, page)
  values ($10::bigint, $19::smallint, $20::integer,
          pg_relation_size(('usage_event_' || $19::smallint)::regclass) / current_setting('block_size')::bigint)
)
insert into usage_event (generation, identity, ordinal, payload, tenant_id, customer_id, source, event_id, meter, quantity,
                         value, grp, occurred_at, slice_id, position, wallet_id, feature, amount, included)
select $19::smallint, e.identity, e.ordinal, e.payload, d.tenant_id, d.customer_id, d.source, e.event_id, d.meter, e.quantity,
       e.value, d.grp, e.occurred_at, $10::bigint, e.position, d.wallet_id, d.feature, e.amount, e.included
  from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::text[], $5::numeric[], $6::text[], $7::timestamptz[],
              $8::numeric[], $9::numeric[], $11::integer[])
       with ordinality
       as e (identity, ordinal, payload, event_id, quantity, value, occurred_at, amount, included, place, position)
  join unnest($12::uuid[], $13::uuid[], $14::text[], $15::text[], $16::jsonb[], $17::bigint[], $18::text[])
       with ordinality
       as d (tenant_id, customer_id, source, meter, grp, wallet_id, feature, place) on d.place = e.place`,
};

export const nextSlices = { name: 'ledger_next_slices', text: `select nextval('slice_id') as id` };

export const insertParked = {
  name: 'ledger_insert_parked',
  text: `
insert into parked_usage (tenant_id, customer_id, source, event_id, feature, code, occurred_at, reading, parked_at, ordinal)
select p.tenant_id, p.customer_id, p.source, p.event_id, p.feature, 'price_missing', p.occurred_at, p.reading, p.parked_at,
       p.ordinal
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::jsonb[], $8::timestamptz[],
              $9::smallint[])
       as p (tenant_id, customer_id, source, event_id, feature, occurred_at, reading, parked_at, ordinal)
on conflict do nothing`,
};

/** A charge that came late joins its event's row, in the slice whose journal rows hold it. */
export const chargeEvents = {
  name: 'ledger_charge_events',
  text: `
update usage_event e
   set wallet_id = c.wallet_id, feature = c.feature, amount = c.amount, included = c.included, slice_id = $7::bigint,
       position = c.position
  from unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::text[], $5::numeric[], $6::numeric[])
       with ordinality
       as c (identity, ordinal, wallet_id, feature, amount, included, position)
 where e.identity = c.identity and e.ordinal = c.ordinal and e.feature is null`,
};

export const readHistory = {
  name: 'ledger_subscription_history',
  text: `
select s.customer_id, s.subscription_id, s.version, s.effective_at, s.started_at, s.ended_at, s.anchor, s.period_start,
       s.period_end, s.in_force, s.zone, s.terms_id, s.resets, s.budgets::text as budgets
  from unnest($1::uuid[], $2::uuid[]) as a (tenant_id, customer_id)
  join subscription_version s on s.tenant_id = a.tenant_id and s.customer_id = a.customer_id
 order by s.customer_id, s.started_at, s.subscription_id, s.effective_at, s.version`,
};

export const readTerms = {
  name: 'ledger_plan_terms',
  text: `select id, terms from plan_terms where id = any ($1::bigint[])`,
};
