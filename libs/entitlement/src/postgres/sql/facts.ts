/** Facts as one JSON array, each of another thing. No row for one of which a version as late is already here. */
export const applyFacts = {
  name: 'entitlement_apply_facts',
  text: `
insert into fact as f (tenant_id, customer_id, kind, key, version, facts)
select "tenantId", "customerId", kind, key, version, facts
  from jsonb_to_recordset($1::jsonb)
    as r ("tenantId" uuid, "customerId" uuid, kind text, key text, version bigint, facts jsonb)
on conflict (tenant_id, customer_id, kind, key) do update set version = excluded.version, facts = excluded.facts
where excluded.version > f.version
returning f.tenant_id, f.customer_id, f.kind`,
};

/** Customers that this one pays for. */
export const readChildren = {
  name: 'entitlement_children',
  text: `
select customer_id from customer_facts
 where tenant_id = $1::uuid and facts ->> 'payerId' = $2::text and customer_id <> $2::uuid`,
};

/**
 * Everything that one entry per customer is compiled from, for many customers at once. A customer whose own fact has not
 * come yet has no row. Collection and payment method are the payer's.
 */
export const readFactsOfCustomers = {
  name: 'entitlement_facts_of_customers',
  text: `
select w.tenant_id, c.facts as customer, s.facts as subscription,
       coalesce((select jsonb_agg(jsonb_build_object('kind', f.kind, 'facts', f.facts) order by f.kind, f.key)
                   from fact f
                  where f.tenant_id = w.tenant_id and f.customer_id = w.customer_id
                    and f.kind not in ('collection', 'method')), '[]') as own,
       coalesce((select jsonb_agg(jsonb_build_object('kind', f.kind, 'facts', f.facts))
                   from fact f
                  where f.tenant_id = w.tenant_id
                    and f.customer_id = coalesce((c.facts ->> 'payerId')::uuid, w.customer_id)
                    and f.kind in ('collection', 'method')), '[]') as payers
  from unnest($1::uuid[], $2::uuid[]) as w (tenant_id, customer_id)
  join customer_facts c on c.tenant_id = w.tenant_id and c.customer_id = w.customer_id
  left join lateral (
    select facts from subscription_facts s
     where s.tenant_id = w.tenant_id and s.customer_id = w.customer_id
     order by (s.ended_at is null) desc, s.started_at desc, s.subscription_id desc
     limit 1
  ) s on true`,
};
