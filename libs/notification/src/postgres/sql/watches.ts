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

export const fired = { name: 'watch_fired', text: `select fired from watch where ${ONE}` };

export const setFired = {
  name: 'watch_set_fired',
  text: `update watch set fired = $5, due_at = $6 where ${ONE}`,
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
  text: `select percent, units from announced_usage
         where tenant_id = $1 and customer_id = $2 and feature = $3 and period_start = $4`,
};

export const setAnnounced = {
  name: 'usage_set_announced',
  text: `insert into announced_usage (tenant_id, customer_id, feature, period_start, percent, units)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, customer_id, feature, period_start)
         do update set percent = excluded.percent, units = excluded.units`,
};
