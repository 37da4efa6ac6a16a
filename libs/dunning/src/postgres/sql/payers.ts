/**
 * Creates the payer when it is new, locks it, and returns it. The update that changes nothing is what takes the lock in
 * the same statement; a separate select for update would miss a row inserted at the same moment.
 */
export const lockPayer = {
  name: 'dunning_lock_payer',
  text: `insert into payer as p (tenant_id, payer_id, facts) values ($1, $2, $3)
         on conflict (tenant_id, payer_id) do update set due_at = p.due_at
         returning payer_id, facts, warnings, due_at`,
};

export const findPayer = {
  name: 'dunning_find_payer',
  text: `select payer_id, facts, warnings, due_at from payer where tenant_id = $1 and payer_id = $2`,
};

export const savePayer = {
  name: 'dunning_save_payer',
  text: `update payer set facts = $3, warnings = $4, due_at = $5::timestamptz where tenant_id = $1 and payer_id = $2`,
};

export const findMethod = {
  name: 'dunning_find_method',
  text: `select method from payment_method where tenant_id = $1 and payer_id = $2`,
};

/** No row: an older version than the one known. */
export const applyMethod = {
  name: 'dunning_apply_method',
  text: `insert into payment_method as m (tenant_id, payer_id, method, version) values ($1, $2, $3, $4)
         on conflict (tenant_id, payer_id) do update set method = excluded.method, version = excluded.version
         where m.version < excluded.version
         returning payer_id`,
};

/** Its version stays that of the fact before it, so that the fact on its way still counts as news. */
export const adoptMethod = {
  name: 'dunning_adopt_method',
  text: `insert into payment_method (tenant_id, payer_id, method, version) values ($1, $2, $3, -1)
         on conflict (tenant_id, payer_id) do update set method = excluded.method`,
};
