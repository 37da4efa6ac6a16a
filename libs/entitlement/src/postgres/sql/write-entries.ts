/**
 * Under the lock of `lockFeed`. A key that changed gets the next version and a seq of its own; no row for a key whose
 * payload is what it was, so that a repeated fact reaches no gate. Keys must be distinct within one call.
 */
export const writeEntries = {
  name: 'entitlement_write_entries',
  text: `
with given as (
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::boolean[]) with ordinality
      as g (tenant_id, kind, key, owner_id, payload, removed, place)
), position as (
  update feed_position set seq = seq + cardinality($3::text[]) returning seq - cardinality($3::text[]) as base
)
insert into feed_entry as e (tenant_id, kind, key, owner_id, version, seq, payload, removed)
select g.tenant_id, g.kind, g.key, g.owner_id, 1, position.base + g.place, g.payload, g.removed
  from given g cross join position
on conflict (tenant_id, kind, key) do update
  set owner_id = excluded.owner_id, version = e.version + 1, seq = excluded.seq,
      payload = excluded.payload, removed = excluded.removed
where e.payload <> excluded.payload or e.removed <> excluded.removed
returning e.seq`,
};
