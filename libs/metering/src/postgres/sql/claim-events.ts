/**
 * Remembers identities that are new, and counts them; not among them: what is known already, also when another
 * transaction is claiming it at this moment (the insert waits for that one to end). Rows go in sorted, so that two
 * requests with the same identities in another order wait for each other instead of for ever.
 */
export const claimEvents = {
  name: 'ingestion_claim_events',
  text: `
with claimed as (
  insert into received_event (tenant_id, source, event_id, payload_hash, occurred_at, received_at, keep_until)
  select tenant_id, source, event_id, payload_hash, occurred_at, received_at, keep_until
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
      as c (tenant_id, source, event_id, payload_hash, occurred_at, received_at, keep_until)
   order by tenant_id, source, event_id
  on conflict do nothing
  returning 1
)
select count(*)::integer as claimed from claimed`,
};

/**
 * What others claimed before, with what it came with: what this transaction did not write. Read after the claim, so that
 * what was committed meanwhile is seen.
 */
export const readKnown = {
  name: 'ingestion_read_known',
  text: `
select r.tenant_id, r.source, r.event_id, r.payload_hash, r.occurred_at
  from unnest($1::uuid[], $2::text[], $3::text[]) as c (tenant_id, source, event_id)
  join received_event r on r.tenant_id = c.tenant_id and r.source = c.source and r.event_id = c.event_id
 where r.xmin <> pg_current_xact_id()::xid`,
};

/**
 * A bounded bite of what nobody can repeat any more, each tenant by its own clock: those on virtual clocks one by one,
 * the others together. Ranges in the order of an index each, since a plan that is made once would else read the whole
 * table; for two columns that is a range of pairs.
 */
export const forgetEvents = {
  name: 'ingestion_forget_events',
  text: `
delete from received_event where ctid = any (array(
  select e.ctid
    from tenant_clock c
   cross join lateral (
         select o.ctid
           from received_event o
          where (o.tenant_id, o.keep_until) >= (c.tenant_id, '-infinity')
            and (o.tenant_id, o.keep_until) < (c.tenant_id, c.now)
          order by o.tenant_id, o.keep_until limit 5000) e
   where $1::uuid is null or c.tenant_id = $1::uuid
  union all
  (select e.ctid
     from received_event e
    where $1::uuid is null and e.keep_until < $2
      and not exists (select from tenant_clock c where c.tenant_id = e.tenant_id)
    order by e.keep_until limit 5000)))`,
};
