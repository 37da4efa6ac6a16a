const CLAIMED = `
insert into received_event (identity, tenant_id, payload, occurred_at, keep_until)
select identity, tenant_id, payload, occurred_at, keep_until
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])
    as c (identity, tenant_id, payload, occurred_at, keep_until)
 order by identity`;

/**
 * Remembers identities, all of them new, or fails. Rows go in sorted, so that two requests with the same identities in
 * another order wait for each other instead of for ever.
 */
export const claimNew = { name: 'ingestion_claim_new', text: CLAIMED };

/**
 * Remembers those that are new; not among them: what is known already, also when another transaction is claiming it at
 * this moment (the insert waits for that one to end).
 */
export const claimOthers = { name: 'ingestion_claim_others', text: `${CLAIMED} on conflict do nothing` };

/**
 * What others claimed before, with what it came with: what this transaction did not write. Read after the claim, so that
 * what was committed meanwhile is seen.
 */
export const readKnown = {
  name: 'ingestion_read_known',
  text: `
select identity, payload, occurred_at
  from received_event
 where identity = any ($1::uuid[]) and xmin <> pg_current_xact_id()::xid`,
};

/**
 * A bounded bite of what nobody can repeat any more, each tenant by its own clock. The tenants that are remembered are
 * found one after the other in the index of ends, and their oldest in it too: ranges in its order, since a plan that is
 * made once would else read the whole table.
 */
export const forgetEvents = {
  name: 'ingestion_forget_events',
  text: `
with recursive tenant as (
  (select e.tenant_id from received_event e
    where $1::uuid is null or e.tenant_id = $1::uuid
    order by e.tenant_id limit 1)
  union all
  select (select e.tenant_id from received_event e
           where $1::uuid is null and e.tenant_id > t.tenant_id
           order by e.tenant_id limit 1)
    from tenant t
   where t.tenant_id is not null
)
delete from received_event where ctid = any (array(
  select ended.ctid
    from tenant t
    left join tenant_clock c on c.tenant_id = t.tenant_id
   cross join lateral (
         select e.ctid
           from received_event e
          where (e.tenant_id, e.keep_until) >= (t.tenant_id, '-infinity')
            and (e.tenant_id, e.keep_until) < (t.tenant_id, coalesce(c.now, $2))
          order by e.tenant_id, e.keep_until limit 5000) ended
   where $1::uuid is null or c.tenant_id is not null
   limit 5000))`,
};
