const COLUMNS =
  'tenant_id, id, origin, code, faults, source, event_id, payload, headers, received_at, status, mended';

/** No row for a letter that was written before: the message was read again. */
export const addLetters = {
  name: 'ingestion_add_letters',
  text: `
insert into dead_letter (tenant_id, id, origin, code, faults, source, event_id, payload, headers, received_at)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::text[],
                     $8::bytea[], $9::jsonb[], $10::timestamptz[])
on conflict (origin) do nothing`,
};

export const listLetters = {
  name: 'ingestion_list_letters',
  text: `
select ${COLUMNS} from dead_letter
 where tenant_id = $1::uuid and status = $2::text and ($3::uuid is null or id > $3::uuid)
 order by id limit $4::integer`,
};

export const findLetter = {
  name: 'ingestion_find_letter',
  text: `select ${COLUMNS} from dead_letter where tenant_id = $1::uuid and id = $2::uuid`,
};

/** No row: closed before. */
export const closeLetter = {
  name: 'ingestion_close_letter',
  text: `update dead_letter set status = $3::text where tenant_id = $1::uuid and id = $2::uuid and status = 'open'`,
};

/** No row: closed before. */
export const editLetter = {
  name: 'ingestion_edit_letter',
  text: `update dead_letter set mended = $3::jsonb where tenant_id = $1::uuid and id = $2::uuid and status = 'open'`,
};
