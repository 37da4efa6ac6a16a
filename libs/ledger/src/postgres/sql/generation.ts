export const tryToMaintain = {
  name: 'ledger_try_to_maintain',
  text: `select 1 from (select pg_try_advisory_xact_lock(hashtextextended('tallygate usage generations', 0)) as mine) l where mine`,
};

export const listGenerations = {
  name: 'ledger_list_generations',
  text: 'select generation, state, opened_at, closed_at from usage_generation order by generation',
};

export const dedupWindows = {
  name: 'ledger_dedup_windows',
  text: `select distinct facts->'settings'->>'dedupWindow' as window from tenant_facts`,
};

export const createdGeneration = {
  name: 'ledger_created_generation',
  text: `insert into usage_generation (generation, state) values ($1, 'ahead') on conflict do nothing`,
};

export const dateGeneration = {
  name: 'ledger_date_generation',
  text: `update usage_generation set opened_at = $2::timestamptz where generation = $1 and opened_at is null`,
};

/**
 * Slices read this table first and so hold a lock on it until they end: once this one is granted, none is on its way.
 * The table that is locked is this small one; nobody's read or write of the usage record waits for a lock on it.
 */
export const lockGenerations = 'lock table usage_generation in access exclusive mode';

/** No row: another process opened it meanwhile. */
export const closeGeneration = {
  name: 'ledger_close_generation',
  text: `
update usage_generation set state = 'recent', closed_at = $2::timestamptz where generation = $1 and state = 'current'
returning generation`,
};

export const openGeneration = {
  name: 'ledger_open_generation',
  text: `update usage_generation set state = 'current', opened_at = $2::timestamptz where generation = $1 and state = 'ahead'`,
};

export const keepGeneration = {
  name: 'ledger_keep_generation',
  text: `update usage_generation set state = 'kept' where generation = $1 and state = 'recent'`,
};

/**
 * Statements of the owner, one by one. The table is made apart and attached: ATTACH takes a lock that neither readers
 * nor writers of usage_event notice, where CREATE … PARTITION OF would keep all of them out. The check tells ATTACH that
 * there is nothing to look through. @param api @param worker names of the run-time roles
 */
export function partitionStatements(
  generation: number,
  like: number,
  { schema, api, worker }: { readonly schema: string; readonly api: string; readonly worker: string },
): { readonly make: string; readonly attach: string; readonly tidy: string } {
  const table = `${schema}.usage_event_${generation}`;
  const own = `nullif(current_setting('tallygate.tenant', true), '')::uuid`;
  return {
    make: `
begin;
create table ${table} (like ${schema}.usage_event_${like} including all excluding constraints);
select ${schema}.only_grows('${table}');
alter table ${table} add constraint usage_event_generation check (generation = ${generation}),
  enable row level security, force row level security;
create policy tenant_only on ${table} to ${api} using (tenant_id = ${own}) with check (tenant_id = ${own});
create policy all_tenants on ${table} to ${worker} using (true) with check (true);
commit`,
    attach: `alter table ${schema}.usage_event attach partition ${table} for values in (${generation})`,
    tidy: `alter table ${table} drop constraint if exists usage_event_generation`,
  };
}

/** Whether the table is there, and whether it is a partition already. */
export const partitionState = `
select c.relispartition as attached from pg_class c
 where c.relnamespace = $1::regnamespace and c.relname = $2`;
