export const addAudit = {
  name: 'ingestion_add_audit',
  text: `
insert into usage_audit (tenant_id, id, at, key_id, author, action, subject, reason, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
};

/** Ids grow with time: the order of the list, and where its next page begins. */
export const listAudit = {
  name: 'ingestion_list_audit',
  text: `
select tenant_id, id, at, key_id, author, action, subject, reason, detail from usage_audit
 where tenant_id = $1::uuid and ($2::text is null or subject = $2) and ($3::uuid is null or id < $3::uuid)
 order by id desc limit $4::integer`,
};
