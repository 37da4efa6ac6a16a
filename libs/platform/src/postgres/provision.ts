import { Client } from 'pg';
import { DataSource } from 'typeorm';
import type { MigrationClass } from './migration';
import { MIGRATION_TABLE, PLATFORM_WITHOUT_TENANT, platformMigrations } from './platform-migration';
import { identifier, roleName, rolePassword, roleUrl } from './roles';
import { enforceTenancy } from './tenancy';

export interface SchemaProvisioning {
  readonly schema: string;
  readonly migrations: readonly MigrationClass[];
  /** Tables that hold no tenant's data. Any other table without tenant_id is refused. */
  readonly withoutTenant?: readonly string[];
  /** Tables whose rows the run-time roles may add and read, never change or delete. */
  readonly appendOnly?: readonly string[];
}

export interface ProvisionOptions extends SchemaProvisioning {
  /** Logs in as whoever may create schemas and roles; nobody else uses it. */
  readonly ownerUrl: string;
  readonly roleSecret: string;
}

/**
 * Creates or updates one service's schema: roles, tables, row-level security, grants. Safe to run by several processes
 * at once: they queue on an advisory lock, and the later ones find nothing left to do.
 */
export async function provisionSchema(options: ProvisionOptions): Promise<void> {
  const schema = identifier(options.schema);
  await withOwner(options.ownerUrl, async (owner) => {
    await owner.query(`select pg_advisory_lock(hashtextextended('tallygate provisioning', 0))`);
    await owner.query(`create schema if not exists ${schema}`);
    for (const role of [roleName(schema, 'api'), roleName(schema, 'worker')])
      await ensureRole(owner, role, options);
    await migrate(options.ownerUrl, schema, [...platformMigrations, ...options.migrations]);
    await enforceTenancy(owner, {
      schema,
      api: roleName(schema, 'api'),
      worker: roleName(schema, 'worker'),
      withoutTenant: [...PLATFORM_WITHOUT_TENANT, MIGRATION_TABLE, ...(options.withoutTenant ?? [])],
      appendOnly: options.appendOnly ?? [],
      migrationTable: MIGRATION_TABLE,
    });
  });
}

/** Runs `work` on a connection of its own; ending it releases the session's locks. */
export async function withOwner<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'tallygate provisioning' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Roles belong to the whole server while the advisory lock holds in one database only, so two databases may race here:
 * the loser's error means that the role is there, which is all that was wanted.
 */
export async function ensureRole(
  owner: Client,
  role: string,
  { ownerUrl, roleSecret }: { readonly ownerUrl: string; readonly roleSecret: string },
): Promise<void> {
  const password = rolePassword(roleSecret, identifier(role));
  const { rows } = await owner.query<{ privileged: boolean }>(
    'select rolsuper or rolbypassrls as privileged from pg_roles where rolname = $1',
    [role],
  );
  if (rows[0]?.privileged === true) throw new Error(`Role ${role} bypasses row-level security; it must not`);
  const login = `login password '${password}'`;
  if (rows[0] === undefined)
    await tolerant(
      () =>
        owner.query(`create role ${role} nosuperuser nobypassrls nocreatedb nocreaterole noinherit ${login}`),
      ['42710', '23505'],
    );
  if (!(await canLogIn(roleUrl(ownerUrl, roleSecret, role)))) await alterRole(owner, role, login);
}

async function alterRole(owner: Client, role: string, login: string): Promise<void> {
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    // XX000 "tuple concurrently updated": another database's provisioning set the same password at this moment.
    if (await tolerant(() => owner.query(`alter role ${role} ${login}`), ['XX000'])) return;
  }
}

/** @returns whether the statement ran; false when it failed with one of the expected states */
async function tolerant(run: () => Promise<unknown>, expected: readonly string[]): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && expected.includes(String(error.code))) return false;
    throw error;
  }
}

async function canLogIn(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

async function migrate(url: string, schema: string, migrations: readonly MigrationClass[]): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    url,
    schema,
    migrations: [...migrations],
    migrationsTableName: MIGRATION_TABLE,
    migrationsTransactionMode: 'all',
    installExtensions: false,
    logging: false,
    extra: { max: 2, options: `-c search_path=${schema} -c TimeZone=UTC` },
  });
  await source.initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
}
