/** Sorted, so that two processes that note the same sources wait for each other instead of for ever. */
export const noteSources = {
  name: 'ingestion_note_sources',
  text: `
insert into raw_source (tenant_id, source)
select tenant_id, source from unnest($1::uuid[], $2::text[]) as s (tenant_id, source)
 order by tenant_id, source
on conflict do nothing`,
};

/** Of these, and of their tenants as a whole (''). */
export const readSources = {
  name: 'ingestion_read_sources',
  text: `
select distinct r.tenant_id, r.source
  from unnest($1::uuid[], $2::text[]) as s (tenant_id, source)
  join raw_source r on r.tenant_id = s.tenant_id and r.source in (s.source, '')`,
};
