/**
 * Parks events; one that is parked already stays. `ready` is judged here once more: what was missing may have appeared
 * after the event was looked at. The caller holds the tenants' parking locks (shared), so that a change of the directory
 * is either seen here or finds these rows.
 */
export const parkEvents = {
  name: 'ingestion_park_events',
  text: `
insert into parked_event
  (tenant_id, source, event_id, payload_hash, code, type, subject, occurred_at, received_at, revision, event, ready)
select p.tenant_id, p.source, p.event_id, p.payload_hash, p.code, p.type, p.subject, p.occurred_at, p.received_at, p.revision, p.event,
       case p.code
         when 'customer_unknown' then
           exists (select from customer_subject s where s.tenant_id = p.tenant_id and s.subject = p.subject)
           or exists (select from customer_facts c where c.tenant_id = p.tenant_id and c.key = p.subject)
         else exists (select from catalog_facts c where c.tenant_id = p.tenant_id and c.revision > p.revision)
       end
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
              $8::timestamptz[], $9::timestamptz[], $10::bigint[], $11::text[])
    as p (tenant_id, source, event_id, payload_hash, code, type, subject, occurred_at, received_at, revision, event)
 order by p.tenant_id, p.source, p.event_id
on conflict do nothing`,
};

/** The identities among these that are parked with another payload. */
export const parkedConflicts = {
  name: 'ingestion_parked_conflicts',
  text: `
select p.tenant_id, p.source, p.event_id, q.payload_hash
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as q (tenant_id, source, event_id, payload_hash)
  join parked_event p on p.tenant_id = q.tenant_id and p.source = q.source and p.event_id = q.event_id
 where p.payload_hash <> q.payload_hash`,
};

/** Taken by whoever parks (shared) or changes what parked events wait for (alone), until the end of the transaction. */
export const lockParkingShared = {
  name: 'ingestion_lock_parking_shared',
  text: `select pg_advisory_xact_lock_shared(hashtextextended('parking ' || t, 0)) from unnest($1::text[]) as t order by t`,
};
export const lockParking = {
  name: 'ingestion_lock_parking',
  text: `select pg_advisory_xact_lock(hashtextextended('parking ' || $1::text, 0))`,
};

/**
 * What these waited for may be here. Rows that are ready are written too: one of them may be in the hands of a worker
 * that has looked already and is about to let it wait on; the write waits for that worker.
 */
export const wakeParkedOfSubjects = {
  name: 'ingestion_wake_parked_of_subjects',
  text: `
update parked_event set ready = true
 where tenant_id = $1::uuid and subject = any ($2::text[]) and code = 'customer_unknown'`,
};
export const wakeParkedOfTypes = {
  name: 'ingestion_wake_parked_of_types',
  text: `
update parked_event set ready = true
 where tenant_id = $1::uuid and type = any ($2::text[]) and code = 'meter_unknown'`,
};

/** No row: nothing whose cause may be gone, or other workers have it in hand. */
export const takeReady = {
  name: 'ingestion_take_ready',
  text: `
select tenant_id, source, event_id, payload_hash, code, type, subject, occurred_at, received_at, revision, event
  from parked_event
 where ready and ($1::uuid is null or tenant_id = $1::uuid)
 order by received_at
 limit $2::integer
   for update skip locked`,
};

export const deleteParked = {
  name: 'ingestion_delete_parked',
  text: `
delete from parked_event p using unnest($1::uuid[], $2::text[], $3::text[]) as g (tenant_id, source, event_id)
 where p.tenant_id = g.tenant_id and p.source = g.source and p.event_id = g.event_id`,
};

/** The same judgement of `ready` as when parking: between the look and this statement something may have appeared. */
export const keepParked = {
  name: 'ingestion_keep_parked',
  text: `
update parked_event p
   set code = w.code, revision = w.revision,
       ready = case w.code
         when 'customer_unknown' then
           exists (select from customer_subject s where s.tenant_id = p.tenant_id and s.subject = p.subject)
           or exists (select from customer_facts c where c.tenant_id = p.tenant_id and c.key = p.subject)
         else exists (select from catalog_facts c where c.tenant_id = p.tenant_id and c.revision > w.revision)
       end
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as w (tenant_id, source, event_id, code, revision)
 where p.tenant_id = w.tenant_id and p.source = w.source and p.event_id = w.event_id`,
};

export const listParked = {
  name: 'ingestion_list_parked',
  text: `
select tenant_id, source, event_id, payload_hash, code, type, subject, occurred_at, received_at, revision, event
  from parked_event where tenant_id = $1::uuid
 order by received_at, source, event_id limit $2::integer`,
};
