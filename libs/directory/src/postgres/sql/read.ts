export const readTenant = {
  name: 'directory_tenant',
  text: `select facts from tenant_facts where tenant_id = $1::uuid`,
};

export const readCustomerByKey = {
  name: 'directory_customer_by_key',
  text: `select facts from customer_facts where tenant_id = $1::uuid and key = $2::text`,
};

export const readCustomerById = {
  name: 'directory_customer_by_id',
  text: `select facts from customer_facts where tenant_id = $1::uuid and customer_id = $2::uuid`,
};

export const readCustomersByIds = {
  name: 'directory_customers_by_ids',
  text: `select facts from customer_facts where tenant_id = $1::uuid and customer_id = any ($2::uuid[])`,
};

/** One row per pair asked for, in order. A subject beats a customer's key of the same text; null: nobody's. */
export const readCustomersBySubjects = {
  name: 'directory_customers_by_subjects',
  text: `
select coalesce(s.customer_id, k.customer_id) as customer_id
  from unnest($1::uuid[], $2::text[]) with ordinality as q (tenant_id, subject, place)
  left join customer_subject s on s.tenant_id = q.tenant_id and s.subject = q.subject
  left join customer_facts k on k.tenant_id = q.tenant_id and k.key = q.subject
 order by q.place`,
};

/** A customer has at most one subscription that has not ended; without one, the last that did. */
export const readSubscription = {
  name: 'directory_subscription',
  text: `
select facts from subscription_facts
 where tenant_id = $1::uuid and customer_id = $2::uuid
 order by (ended_at is null) desc, started_at desc, subscription_id desc
 limit 1`,
};

export const readCatalogRevision = {
  name: 'directory_catalog_revision',
  text: `select revision from catalog_facts where tenant_id = $1::uuid`,
};

export const readCatalog = {
  name: 'directory_catalog',
  text: `select revision, catalog from catalog_facts where tenant_id = $1::uuid`,
};
