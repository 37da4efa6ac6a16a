const COLUMNS = `tenant_id, source, event_id, payload_hash, code, type, subject, occurred_at, received_at, revision, event,
       corrects_source, corrects_id, corrects_kind`;

/**
 * Parks events; one that is parked already stays. `ready` is judged here once more: what was missing may have appeared
 * after the event was looked at. The caller holds the tenants' parking locks (shared), so that a change of the directory
 * is either seen here or finds these rows.
 */
export const parkEvents = {
  name: 'ingestion_park_events',
  text: `
insert into parked_event
  (tenant_id, source, event_id, payload_hash, code, type, subject, occurred_at, received_at, revision, event, corrects_source, corrects_id,
   corrects_kind, ready)
select p.tenant_id, p.source, p.event_id, p.payload_hash, p.code, p.type, p.subject, p.occurred_at, p.received_at, p.revision, p.event,
       p.corrects_source, p.corrects_id, p.corrects_kind,
       case p.code
         when 'event_unknown' then false
         when 'customer_unknown' then
           exists (select from customer_subject s where s.tenant_id = p.tenant_id and s.subject = p.subject)
           or exists (select from customer_facts c where c.tenant_id = p.tenant_id and c.key = p.subject)
         else exists (select from catalog_facts c where c.tenant_id = p.tenant_id and c.revision > p.revision)
       end
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
              $8::timestamptz[], $9::timestamptz[], $10::bigint[], $11::text[],
              $12::text[], $13::text[], $14::text[])
    as p (tenant_id, source, event_id, payload_hash, code, type, subject, occurred_at, received_at, revision, event,
          corrects_source, corrects_id, corrects_kind)
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
select ${COLUMNS}
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
         when 'event_unknown' then false
         when 'customer_unknown' then
           exists (select from customer_subject s where s.tenant_id = p.tenant_id and s.subject = p.subject)
           or exists (select from customer_facts c where c.tenant_id = p.tenant_id and c.key = p.subject)
         else exists (select from catalog_facts c where c.tenant_id = p.tenant_id and c.revision > w.revision)
       end
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as w (tenant_id, source, event_id, code, revision)
 where p.tenant_id = w.tenant_id and p.source = w.source and p.event_id = w.event_id`,
};

/** In the order in which they came; those that were looked at least often are taken first, so that none starves. */
export const takeAwaiting = {
  name: 'ingestion_take_awaiting',
  text: `
with taken as (
  select ctid as place from parked_event
   where code = 'event_unknown' and ($1::uuid is null or tenant_id = $1::uuid)
   order by tries, arrival
   limit $2::integer
     for update skip locked
)
select ${COLUMNS} from parked_event where ctid in (select place from taken) order by arrival`,
};

export const countTries = {
  name: 'ingestion_count_tries',
  text: `
update parked_event p set tries = p.tries + 1
  from unnest($1::uuid[], $2::text[], $3::text[]) as t (tenant_id, source, event_id)
 where p.tenant_id = t.tenant_id and p.source = t.source and p.event_id = t.event_id`,
};

/** What corrections say of parked events is said there already: neither a reversed event nor such a correction is shown. */
export const listParked = {
  name: 'ingestion_list_parked',
  text: `
select ${COLUMNS} from parked_event p
 where tenant_id = $1::uuid
   and not exists (select from parked_event c
                    where c.tenant_id = p.tenant_id and c.code = 'event_unknown' and c.corrects_source = p.source
                      and c.corrects_id = p.event_id and c.corrects_kind = 'reversal')
   and not exists (select from parked_event e
                    where p.code = 'event_unknown' and e.tenant_id = p.tenant_id and e.source = p.corrects_source
                      and e.event_id = p.corrects_id)
 order by received_at, source, event_id limit $2::integer`,
};
