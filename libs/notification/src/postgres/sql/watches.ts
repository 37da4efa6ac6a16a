const ONE = 'tenant_id = $1 and customer_id = $2 and kind = $3 and key = $4';

/** No row: this version, or a later one, is known. */
export const take = {
  name: 'watch_take',
  text: `insert into watch as w (tenant_id, customer_id, kind, key, watch_id, version, facts)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, customer_id, kind, key)
         do update set version = excluded.version, facts = excluded.facts
         where w.version < excluded.version returning version`,
};

export const latest = { name: 'watch_latest', text: `select facts from watch where ${ONE}` };

/** One by one, as reminders are read. */
export const known = {
  name: 'watch_known',
  text: `select asked.customer_id, asked.kind, asked.key, w.version, w.fired, w.due_at
           from unnest($2::uuid[], $3::text[], $4::text[]) as asked (customer_id, kind, key)
          cross join lateral (
            select version, fired, due_at from watch
             where tenant_id = $1 and customer_id = asked.customer_id and kind = asked.kind and key = asked.key
            offset 0
          ) w`,
};

/** Watches as one JSON array: their lists of thresholds differ in length. */
export const keep = {
  name: 'watch_keep',
  text: `insert into watch as w (tenant_id, customer_id, kind, key, watch_id, version, facts, fired, due_at)
         select $1, customer_id, kind, key, watch_id, version, facts, fired, due_at
           from jsonb_to_recordset($2::jsonb)
             as r (customer_id uuid, kind text, key text, watch_id uuid, version bigint, facts jsonb, fired text[],
                   due_at timestamptz)
         on conflict (tenant_id, customer_id, kind, key)
         do update set version = excluded.version, facts = excluded.facts, fired = excluded.fired,
                       due_at = excluded.due_at`,
};

/** Every customer of the tenant when $2 is null. */
export const lookAgain = {
  name: 'watch_look_again',
  text: `update watch set due_at = $3 where tenant_id = $1 and ($2::uuid is null or customer_id = $2)`,
};

/** No row: it was looked at meanwhile, or is due later now. */
export const takeDue = {
  name: 'watch_take_due',
  text: `update watch set due_at = null where tenant_id = $1 and watch_id = $2 and due_at <= $3
         returning customer_id, kind, key, facts`,
};

export const announced = {
  name: 'usage_announced',
  text: `select u.customer_id, u.feature, u.period_start, u.percent, u.units
           from unnest($2::uuid[], $3::text[], $4::text[]) as asked (customer_id, feature, period_start)
           join announced_usage u on u.tenant_id = $1 and u.customer_id = asked.customer_id
                                 and u.feature = asked.feature and u.period_start = asked.period_start`,
};

export const setAnnounced = {
  name: 'usage_set_announced',
  text: `insert into announced_usage (tenant_id, customer_id, feature, period_start, percent, units)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, customer_id, feature, period_start)
         do update set percent = excluded.percent, units = excluded.units`,
};
