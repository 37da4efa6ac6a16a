/**
 * The key's wallets, made where missing. One row per key asked for, in no order; "made" also where an earlier statement of
 * this transaction made or changed it.
 */
export const ensureWallets = {
  name: 'ledger_ensure_wallets',
  text: `
with asked as (
  select distinct * from unnest($1::uuid[], $2::uuid[], $3::text[]) as a (tenant_id, customer_id, unit)
), made as (
  insert into wallet (tenant_id, customer_id, unit, overdraft, lateness)
  select a.tenant_id, a.customer_id, a.unit,
         coalesce((c.facts->'overdraft'->>a.unit)::numeric, 0),
         coalesce((t.facts->'settings'->>'lateness'), '1h')::text::interval
    from asked a
    left join customer_facts c on c.tenant_id = a.tenant_id and c.customer_id = a.customer_id
    left join tenant_facts t on t.tenant_id = a.tenant_id
   where not exists (select from wallet w
                      where w.tenant_id = a.tenant_id and w.customer_id = a.customer_id and w.unit = a.unit)
  on conflict (tenant_id, customer_id, unit) do nothing
  returning id, tenant_id, customer_id, unit
)
select id, tenant_id, customer_id, unit, true as made from made
union all
select w.id, w.tenant_id, w.customer_id, w.unit,
       coalesce(w.xmin = pg_current_xact_id_if_assigned()::xid, false)
  from asked a join wallet w using (tenant_id, customer_id, unit)`,
};

/**
 * Locks in the order of ids: a slice, a grant and a sweep that meet on the same wallets wait for each other instead of
 * holding one each and waiting for the other's.
 */
export const lockWallets = {
  name: 'ledger_lock_wallets',
  text: `
select id, tenant_id, customer_id, unit, version, revision, held > 0 as holding, debt > 0 as owing, overdraft,
       (extract(epoch from lateness) * 1000000)::bigint as lateness_micros, last_expiry_at, last_credit_at, due_at,
       free - debt - told as untold, (select pg_postmaster_start_time()::text) as server
  from wallet where id = any ($1::bigint[]) order by id for no key update`,
};

/** The same locks for wallets of which most are known as that server had them; on another server it locks nothing. */
export const lockKnownWallets = {
  name: 'ledger_lock_known_wallets',
  text: `
select id, revision from wallet
 where id = any ($1::bigint[]) and pg_postmaster_start_time() = $2::timestamptz order by id for no key update`,
};

/** Without a lock, for views. */
export const readWallets = {
  name: 'ledger_read_wallets',
  text: lockWallets.text.replace(' for no key update', ''),
};

export const readLiveLots = {
  name: 'ledger_live_lots',
  text: `
select l.id, l.wallet_id, l.grant_id, l.grant_key, l.kind, l.priority, l.effective_at, l.expires_at, l.features,
       l.amount, l.remaining, l.held, l.state
  from lot l
 where l.wallet_id = any ($1::bigint[]) and l.live`,
};

export const readAllLots = {
  name: 'ledger_all_lots',
  text: readLiveLots.text.replace(' and l.live', ''),
};

export const readLotsOfGrant = {
  name: 'ledger_lots_of_grant',
  text: readLiveLots.text.replace('l.wallet_id = any ($1::bigint[]) and l.live', 'l.grant_id = $1::uuid'),
};

export const readOpenDebts = {
  name: 'ledger_open_debts',
  text: `
select id, wallet_id, feature, occurred_at, total, repaid from debt
 where wallet_id = any ($1::bigint[]) and open order by wallet_id, occurred_at, id`,
};

export const readOpenHolds = {
  name: 'ledger_open_holds',
  text: `
select id, wallet_id, key, feature, amount, expires_at, parts, state, resolved_at from hold
 where wallet_id = any ($1::bigint[]) and state = 'open' order by wallet_id, expires_at, id`,
};

export const readRecurrences = {
  name: 'ledger_recurrences',
  text: `
select id, wallet_id, key, kind, priority, features, amount, every, anchor, effective_at, zone, expires_at, rollover_min, rollover_max,
       next_at
  from credit_grant where wallet_id = any ($1::bigint[]) and next_at is not null`,
};

export const insertJournal = {
  name: 'ledger_insert_journal',
  text: `
insert into journal (wallet_id, version, tenant_id, kind, posted_at, effective_at, lot_id, debt_id, feature, reference,
                     slice_id, free, held, debt, contra)
select e.wallet_id, e.version, e.tenant_id, e.kind, e.posted_at, e.effective_at, e.lot_id, e.debt_id, e.feature,
       e.reference, $14::bigint, e.free, e.held, e.debt, e.debt - e.free - e.held
  from unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::uuid[],
              $8::uuid[], $9::text[], $10::text[], $11::numeric[], $12::numeric[], $13::numeric[])
       as e (wallet_id, version, tenant_id, kind, posted_at, effective_at, lot_id, debt_id, feature, reference,
             free, held, debt)`,
};

export const updateLots = {
  name: 'ledger_update_lots',
  text: `
update lot l set remaining = u.remaining, held = u.held, state = u.state, live = u.live
  from unnest($1::uuid[], $2::numeric[], $3::numeric[], $4::text[], $5::boolean[]) as u (id, remaining, held, state, live)
 where l.id = u.id`,
};

export const insertLots = {
  name: 'ledger_insert_lots',
  text: `
insert into lot (id, tenant_id, wallet_id, grant_id, grant_key, kind, priority, effective_at, expires_at, features, amount,
                 remaining, held, state, live)
select i.id, i.tenant_id, i.wallet_id, i.grant_id, i.grant_key, g.kind, g.priority, i.effective_at, i.expires_at, g.features, i.amount,
       i.remaining, i.held, i.state, i.live
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[],
              $7::timestamptz[], $8::numeric[], $9::numeric[], $10::numeric[], $11::text[], $12::boolean[])
       as i (id, tenant_id, wallet_id, grant_id, grant_key, effective_at, expires_at, amount, remaining, held, state, live)
  join credit_grant g on g.id = i.grant_id`,
};

export const upsertDebts = {
  name: 'ledger_upsert_debts',
  text: `
insert into debt (id, tenant_id, wallet_id, feature, occurred_at, total, repaid, open)
select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[], $6::numeric[], $7::numeric[],
                     $8::boolean[])
on conflict (id) do update set total = excluded.total, repaid = excluded.repaid, open = excluded.open`,
};

export const upsertHolds = {
  name: 'ledger_upsert_holds',
  text: `
insert into hold (id, tenant_id, wallet_id, key, feature, amount, expires_at, parts, state, created_at, resolved_at)
select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::numeric[], $7::timestamptz[],
                     $8::jsonb[], $9::text[], $10::timestamptz[], $11::timestamptz[])
on conflict (id) do update set parts = excluded.parts, state = excluded.state, resolved_at = excluded.resolved_at`,
};

export const updateRecurrences = {
  name: 'ledger_update_recurrences',
  text: `
update credit_grant g set next_at = u.next_at
  from unnest($1::uuid[], $2::timestamptz[]) as u (id, next_at) where g.id = u.id`,
};

export const moveWallets = {
  name: 'ledger_move_wallets',
  text: `
update wallet w
   set version = u.version, revision = u.revision, free = w.free + u.free, held = w.held + u.held, debt = w.debt + u.debt
  from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::numeric[], $5::numeric[], $6::numeric[])
       as u (id, version, revision, free, held, debt)
 where w.id = u.id`,
};

export const markWallets = {
  name: 'ledger_mark_wallets',
  text: `
update wallet w
   set last_expiry_at = u.last_expiry_at, last_credit_at = u.last_credit_at, due_at = u.due_at,
       published_revision = case when u.published then w.revision else w.published_revision end,
       told = case when u.published then w.free - w.debt else w.told end
  from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::boolean[])
       as u (id, last_expiry_at, last_credit_at, due_at, published)
 where w.id = u.id`,
};
