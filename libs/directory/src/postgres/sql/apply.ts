/** Each statement states one fact and returns a row when it was news; no row: a later one is already here. */

/** A tenant carries no version; its changes are ordered by the instant at which they took effect. */
export const applyTenant = {
  name: 'directory_apply_tenant',
  text: `
insert into tenant_facts as t (tenant_id, changed_at, facts)
values ($1::uuid, $2::timestamptz, $3::jsonb)
on conflict (tenant_id) do update set changed_at = excluded.changed_at, facts = excluded.facts
where excluded.changed_at >= t.changed_at
returning t.tenant_id`,
};

export const applyCatalog = {
  name: 'directory_apply_catalog',
  text: `
insert into catalog_facts as t (tenant_id, revision, catalog)
values ($1::uuid, $2::bigint, $3::jsonb)
on conflict (tenant_id) do update set revision = excluded.revision, catalog = excluded.catalog
where excluded.revision > t.revision
returning t.tenant_id`,
};

/** A subject named by two customers belongs to the one that named it last. */
export const applyCustomer = {
  name: 'directory_apply_customer',
  text: `
with applied as (
  insert into customer_facts as t (tenant_id, customer_id, key, version, facts)
  values ($1::uuid, $2::uuid, $3::text, $4::bigint, $5::jsonb)
  on conflict (tenant_id, customer_id) do update
    set key = excluded.key, version = excluded.version, facts = excluded.facts
  where excluded.version > t.version
  returning t.tenant_id, t.customer_id
), gone as (
  delete from customer_subject s using applied a
   where s.tenant_id = a.tenant_id and s.customer_id = a.customer_id and s.subject <> all ($6::text[])
), named as (
  insert into customer_subject as s (tenant_id, subject, customer_id)
  select distinct a.tenant_id, subject, a.customer_id from applied a, unnest($6::text[]) as subject
  on conflict (tenant_id, subject) do update set customer_id = excluded.customer_id
  where s.customer_id <> excluded.customer_id
)
select tenant_id from applied`,
};

export const applySubscription = {
  name: 'directory_apply_subscription',
  text: `
insert into subscription_facts as t (tenant_id, subscription_id, customer_id, version, started_at, ended_at, facts)
values ($1::uuid, $2::uuid, $3::uuid, $4::bigint, $5::timestamptz, $6::timestamptz, $7::jsonb)
on conflict (tenant_id, subscription_id) do update
  set customer_id = excluded.customer_id, version = excluded.version,
      started_at = excluded.started_at, ended_at = excluded.ended_at, facts = excluded.facts
where excluded.version > t.version
returning t.tenant_id`,
};
