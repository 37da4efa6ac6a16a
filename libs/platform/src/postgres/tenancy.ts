import type { Client } from 'pg';

export interface Tenancy {
  readonly schema: string;
  readonly api: string;
  readonly worker: string;
  readonly withoutTenant: readonly string[];
  /** Tables whose rows the run-time roles may add and read, never change or delete. */
  readonly appendOnly: readonly string[];
  readonly migrationTable: string;
}

interface TableRow {
  readonly name: string;
  readonly tenant: 'none' | 'uuid' | 'nullable' | 'other';
  readonly forced: boolean;
  readonly policies: readonly string[];
}

/** An unset setting reads as null or, once it was set in the session, as ''; both must match no row. */
const PRESENT_TENANT = `nullif(current_setting('tallygate.tenant', true), '')::uuid`;

/** Says rule 8 at the door: no schema goes into service with a table that could show one tenant's rows to another. */
export async function enforceTenancy(owner: Client, tenancy: Tenancy): Promise<void> {
  const tables = await tablesOf(owner, tenancy.schema);
  refuse(tenancy.schema, [...faultsOf(tables, tenancy), ...(await bypassesOf(owner, tenancy.schema))]);
  for (const table of tables) if (table.tenant === 'uuid') await protect(owner, table, tenancy);
  await grant(owner, tenancy);
}

function refuse(schema: string, faults: readonly string[]): void {
  if (faults.length > 0)
    throw new Error(`Schema ${schema} breaks tenant isolation:\n  ${faults.join('\n  ')}`);
}

function faultsOf(tables: readonly TableRow[], { withoutTenant, appendOnly }: Tenancy): string[] {
  const declared = new Set(withoutTenant);
  const names = new Set(tables.map((table) => table.name));
  const faults = tables.flatMap(({ name, tenant }) => {
    if (tenant === 'none')
      return declared.has(name) ? [] : [`${name} has no tenant_id and is not in withoutTenant`];
    if (tenant !== 'uuid') return [`${name}.tenant_id must be uuid not null`];
    return declared.has(name) ? [`${name} has a tenant_id and is in withoutTenant`] : [];
  });
  const missing = Object.entries({ withoutTenant, appendOnly }).flatMap(([list, named]) =>
    named.filter((name) => !names.has(name)).map((name) => `${list} names ${name}, which does not exist`),
  );
  return [...faults, ...missing];
}

async function tablesOf(owner: Client, schema: string): Promise<TableRow[]> {
  const { rows } = await owner.query<TableRow>(
    `select c.relname as name,
            case when a.attname is null then 'none' when a.atttypid <> 'uuid'::regtype then 'other'
                 when not a.attnotnull then 'nullable' else 'uuid' end as tenant,
            c.relrowsecurity and c.relforcerowsecurity as forced,
            array(select p.polname::text from pg_policy p where p.polrelid = c.oid) as policies
       from pg_class c
       left join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
      where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p')
      order by c.relname`,
    [schema],
  );
  return rows;
}

/** Views of the owner and security definer functions read past the caller's policies; materialised views have none. */
async function bypassesOf(owner: Client, schema: string): Promise<string[]> {
  const { rows } = await owner.query<{ fault: string }>(
    `select c.relname || ': a view must be security_invoker, a materialised view is not allowed' as fault
       from pg_class c
      where c.relnamespace = $1::regnamespace
        and (c.relkind = 'm' or (c.relkind = 'v' and not coalesce('security_invoker=true' = any (c.reloptions), false)))
     union all
     select p.proname || ': security definer functions are not allowed'
       from pg_proc p where p.pronamespace = $1::regnamespace and p.prosecdef`,
    [schema],
  );
  return rows.map((row) => row.fault);
}

/** Only what is missing is altered: ALTER TABLE locks out every reader, and this runs at each start. */
async function protect(
  owner: Client,
  { name, forced, policies }: TableRow,
  { schema, api, worker }: Tenancy,
): Promise<void> {
  const table = `${schema}."${name}"`;
  if (!forced) await owner.query(`alter table ${table} enable row level security, force row level security`);
  if (!policies.includes('tenant_only')) {
    await owner.query(
      `create policy tenant_only on ${table} to ${api} using (tenant_id = ${PRESENT_TENANT}) with check (tenant_id = ${PRESENT_TENANT})`,
    );
  }
  if (!policies.includes('all_tenants')) {
    await owner.query(`create policy all_tenants on ${table} to ${worker} using (true) with check (true)`);
  }
}

/** One query is one transaction: nobody ever sees the rights of an append-only table between grant and revoke. */
async function grant(owner: Client, tenancy: Tenancy): Promise<void> {
  const { schema, api, worker, migrationTable, appendOnly } = tenancy;
  const roles = `${api}, ${worker}`;
  await owner.query(`
    grant usage on schema ${schema} to ${roles};
    grant select, insert, update, delete on all tables in schema ${schema} to ${roles};
    grant usage, select on all sequences in schema ${schema} to ${roles};
    grant execute on all functions in schema ${schema} to ${roles};
    revoke all on ${schema}.${migrationTable} from ${roles};
    ${appendOnly.map((table) => `revoke update, delete, truncate on ${schema}."${table}" from ${roles};`).join(' ')}
    alter default privileges in schema ${schema} grant select, insert, update, delete on tables to ${roles};
    alter default privileges in schema ${schema} grant usage, select on sequences to ${roles};
    grant connect on database ${await databaseName(owner)} to ${roles};
  `);
}

async function databaseName(owner: Client): Promise<string> {
  const { rows } = await owner.query<{ name: string }>('select quote_ident(current_database()) as name');
  return rows[0]?.name ?? '';
}
