import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { provisionSchema } from './postgres/provision';
import type { SchemaProvisioning } from './postgres/provision';

/** Roles belong to the server, so all tests of a server must agree on their passwords. */
export const TEST_ROLE_SECRET = 'a secret that only tests use';

export interface TestDatabase {
  readonly url: string;
  readonly roleSecret: string;
  drop(): Promise<void>;
}

/** A superuser's server: `url(name)` is the URL of one of its databases. */
export interface TestServer {
  url(database?: string): string;
}

let clones = 0;

/**
 * A database of its own with these schemas, copied from a template that is provisioned once per server: copying takes
 * milliseconds where running the migrations takes seconds.
 */
export async function createTestDatabase(
  server: TestServer,
  schemas: readonly SchemaProvisioning[],
  prepare?: Prepare,
): Promise<TestDatabase> {
  const template = await templateFor(server, schemas, prepare);
  clones += 1;
  const name = `${template}_${process.pid}_${clones}`;
  await asAdmin(server, (admin) => admin.query(`create database ${name} template ${template}`));
  return {
    url: server.url(name),
    roleSecret: TEST_ROLE_SECRET,
    drop: () =>
      asAdmin(
        server,
        async (admin) => void (await admin.query(`drop database if exists ${name} with (force)`)),
      ),
  };
}

/** More to put into the template: `name` tells one preparation from another. */
export interface Prepare {
  readonly name: string;
  readonly run: (ownerUrl: string, roleSecret: string) => Promise<void>;
}

async function templateFor(
  server: TestServer,
  schemas: readonly SchemaProvisioning[],
  prepare: Prepare | undefined,
): Promise<string> {
  const name = `tallygate_template_${fingerprint(schemas, prepare)}`;
  await asAdmin(server, async (admin) => {
    // Two test workers may want the same template of one server at once.
    await admin.query('select pg_advisory_lock(hashtextextended($1, 0))', [name]);
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await build(server, admin, name, schemas, prepare);
  });
  return name;
}

/** Built under another name first, so that a template that exists is complete. */
async function build(
  server: TestServer,
  admin: Client,
  name: string,
  schemas: readonly SchemaProvisioning[],
  prepare: Prepare | undefined,
): Promise<void> {
  const draft = `${name}_draft`;
  await admin.query(`drop database if exists ${draft} with (force)`);
  await admin.query(`create database ${draft}`);
  for (const schema of schemas)
    await provisionSchema({ ...schema, ownerUrl: server.url(draft), roleSecret: TEST_ROLE_SECRET });
  await prepare?.run(server.url(draft), TEST_ROLE_SECRET);
  await admin.query(`alter database ${draft} rename to ${name}`);
}

function fingerprint(schemas: readonly SchemaProvisioning[], prepare: Prepare | undefined): string {
  const parts = schemas.map(({ schema, migrations, withoutTenant = [], appendOnly = [] }) => [
    schema,
    migrations.map((migration) => new migration().name),
    withoutTenant,
    appendOnly,
  ]);
  return createHash('sha256')
    .update(JSON.stringify([parts, prepare?.name]))
    .digest('hex')
    .slice(0, 16);
}

async function asAdmin<T>(server: TestServer, work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: server.url() });
  admin.on('error', () => undefined);
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
