/**
 * Remembers identities that are new. A row comes back for each new one, by its place; no row: it is known already, also
 * when another transaction is claiming it at this moment (the insert waits for that one to end). Rows go in sorted, so
 * that two requests with the same identities in another order wait for each other instead of for ever.
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
  returning tenant_id, source, event_id
)
select source, event_id from claimed`,
};

/** What the known ones came with; read after the claim, so that what others committed meanwhile is seen. */
export const readClaims = {
  name: 'ingestion_read_claims',
  text: `
select r.source, r.event_id, r.payload_hash, r.occurred_at
  from unnest($1::uuid[], $2::text[], $3::text[]) as c (tenant_id, source, event_id)
  join received_event r on r.tenant_id = c.tenant_id and r.source = c.source and r.event_id = c.event_id`,
};

/** A bounded bite of what nobody can repeat any more, each tenant by its own clock. */
export const forgetEvents = {
  name: 'ingestion_forget_events',
  text: `
delete from received_event r
 using (select e.ctid as place
          from received_event e
          left join tenant_clock c on c.tenant_id = e.tenant_id
         where ($1::uuid is null or e.tenant_id = $1::uuid)
           and e.keep_until < coalesce(c.now, $2::timestamptz)
         limit 5000) gone
 where r.ctid = gone.place`,
};
