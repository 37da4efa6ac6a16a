import { parseInstant } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { Client } from 'pg';
import { createTestDatabase, TEST_ROLE_SECRET } from '../testing';
import type { TestDatabase } from '../testing';
import { instantFromPg, pgInstant } from './instant-codec';
import { sqlMigration } from './migration';
import { PgDatabase } from './pg-database';
import { provisionSchema } from './provision';
import { sqlState } from './statement-error';

const ONE = '00000000-0000-7000-8000-000000000001';
const TWO = '00000000-0000-7000-8000-000000000002';

const notes = sqlMigration(
  'Notes',
  1_700_000_000_001,
  `create table note (tenant_id uuid not null, id bigint not null, text text not null, amount numeric, at timestamptz, primary key (tenant_id, id));
   create table kind (name text primary key)`,
);
const SCHEMA = { schema: 'ledger', migrations: [notes], withoutTenant: ['kind'] };

let server: PostgresServer;
let target: TestDatabase;
let database: PgDatabase;

beforeAll(async () => {
  server = await startPostgres();
  target = await createTestDatabase(server, [SCHEMA]);
  database = new PgDatabase({ url: target.url, schema: 'ledger', roleSecret: target.roleSecret });
});

afterAll(async () => {
  await database?.close();
  await server?.stop();
});

beforeEach(async () => {
  await database.asWorker(async (tx) => {
    await tx.query('delete from note');
    await tx.query(`insert into note (tenant_id, id, text) values ($1, 1, 'of one'), ($2, 1, 'of two')`, [
      ONE,
      TWO,
    ]);
  });
});

/** Statements of an owner or of a bare role, outside the port. */
async function direct<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe('tenancy', () => {
  it('shows a tenant its own rows and no other', async () => {
    const { rows } = await database.asTenant(ONE, (tx) =>
      tx.query<{ text: string }>('select text from note'),
    );
    expect(rows).toEqual([{ text: 'of one' }]);
  });

  it('shows all tenants to a worker', async () => {
    const { rows } = await database.asWorker((tx) => tx.query('select text from note order by text'));
    expect(rows).toEqual([{ text: 'of one' }, { text: 'of two' }]);
  });

  it('refuses a row of another tenant', async () => {
    const insert = database.asTenant(ONE, (tx) =>
      tx.query(`insert into note (tenant_id, id, text) values ($1, 9, 'x')`, [TWO]),
    );
    await expect(insert).rejects.toMatchObject({ code: '42501' });
  });

  it('refuses to move a row to another tenant', async () => {
    const update = database.asTenant(ONE, (tx) => tx.query('update note set tenant_id = $1', [TWO]));
    await expect(update).rejects.toMatchObject({ code: '42501' });
  });

  it('shows nothing when no tenant is set, on a fresh connection and on one that had a tenant before', async () => {
    const url = new URL(target.url);
    const { roleUrl } = await import('./roles');
    await direct(roleUrl(url.toString(), TEST_ROLE_SECRET, 'tallygate_ledger_api'), async (client) => {
      const select = async () => (await client.query('select text from ledger.note')).rows;
      expect(await select()).toEqual([]);
      await client.query(`begin; select set_config('tallygate.tenant', '${ONE}', true)`);
      expect(await select()).toEqual([{ text: 'of one' }]);
      await client.query('commit');
      expect(await select()).toEqual([]);
    });
  });

  it('runs as roles that own nothing, under forced row-level security', async () => {
    const { rows } = await database.asWorker((tx) =>
      tx.query<{ owner: boolean; forced: boolean; bypass: boolean }>(
        `select bool_or(c.relowner = r.oid) as owner, bool_and(c.relforcerowsecurity and c.relrowsecurity) as forced,
                bool_or(r.rolsuper or r.rolbypassrls) as bypass
           from pg_class c, pg_roles r
          where c.relnamespace = 'ledger'::regnamespace and c.relkind = 'r' and c.relname in ('note', 'outbox', 'tenant_clock', 'idempotency')
            and r.rolname in ('tallygate_ledger_api', 'tallygate_ledger_worker')`,
      ),
    );
    expect(rows).toEqual([{ owner: false, forced: true, bypass: false }]);
  });

  it('keeps the run-time roles from changing the schema and from reading the migration table', async () => {
    await expect(database.asWorker((tx) => tx.query('create table mine (id int)'))).rejects.toMatchObject({
      code: '42501',
    });
    await expect(database.asWorker((tx) => tx.query('select * from schema_migration'))).rejects.toMatchObject(
      { code: '42501' },
    );
  });

  it('refuses a tenant id that is no UUID before it reaches the database', async () => {
    await expect(database.asTenant(`'; drop table note; --`, async () => 1)).rejects.toThrow(
      'Not a tenant id',
    );
  });
});

describe('transactions', () => {
  it('rolls back when the work throws', async () => {
    const work = database.asTenant(ONE, async (tx) => {
      await tx.query('delete from note');
      throw new Error('on second thoughts');
    });
    await expect(work).rejects.toThrow('on second thoughts');
    const { rowCount } = await database.asTenant(ONE, (tx) => tx.query('select from note'));
    expect(rowCount).toBe(1);
  });

  it('does what waits for the commit once when it has committed, and never when it rolled back', async () => {
    const done: string[] = [];
    const act = () => done.push('act');
    await database.asTenant(ONE, async (tx) => {
      tx.afterCommit(act);
      tx.afterCommit(act);
      await tx.query('select 1');
      done.push('work');
    });
    expect(done).toEqual(['work', 'act']);
    const failing = database.asWorker(async (tx) => {
      tx.afterCommit(act);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(done).toEqual(['work', 'act']);
  });

  it('names the statement that failed and keeps its code', async () => {
    const failing = database.asTenant(ONE, (tx) =>
      tx.query({ name: 'note-add', text: 'insert into note values ($1, 1)' }, [ONE]),
    );
    const error = await failing.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      statement: 'note-add',
      message: expect.stringContaining('(statement note-add)'),
    });
    expect(sqlState(error)).toBe('23502');
  });

  it('goes on after its connection was ended from outside', async () => {
    const lost = database.asWorker(async (tx) => {
      await direct(target.url, (owner) =>
        owner.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
          'tallygate_ledger_worker',
        ]),
      );
      await tx.query('select 1');
    });
    await expect(lost).rejects.toThrow();
    await expect(database.asWorker((tx) => tx.query('select 1 as one'))).resolves.toMatchObject({
      rows: [{ one: 1 }],
    });
  });

  it('commits durably and works in its own schema in UTC', async () => {
    const { rows } = await database.asWorker((tx) =>
      tx.query(
        `select current_setting('synchronous_commit') as sync, current_setting('search_path') as path, current_setting('TimeZone') as zone`,
      ),
    );
    expect(rows).toEqual([{ sync: 'on', path: 'ledger', zone: 'UTC' }]);
  });
});

describe('exact values', () => {
  it.each([
    '2026-02-28T23:59:59.999999Z',
    '1999-12-31T00:00:00Z',
    '1969-12-31T23:59:59.000001Z',
    '2026-03-29T01:00:00.5Z',
  ])('keeps the microseconds of %s', async (text) => {
    const parsed = parseInstant(text);
    if (!parsed.ok) throw new Error(text);
    const { rows } = await database.asWorker((tx) =>
      tx.query<{ at: string }>('select $1::timestamptz as at', [pgInstant(parsed.value)]),
    );
    expect(instantFromPg(rows[0]?.at ?? '')).toBe(parsed.value);
  });

  it('returns int8 as bigint and numeric as text, in arrays too', async () => {
    const { rows } = await database.asWorker((tx) =>
      tx.query(
        `select 9007199254740993::int8 as big, array[9007199254740993, null]::int8[] as bigs, 0.1234567890123456789::numeric as num, array[1.50]::numeric[] as nums, $1::int8[] as given`,
        [[9007199254740993n]],
      ),
    );
    expect(rows).toEqual([
      {
        big: 9007199254740993n,
        bigs: [9007199254740993n, null],
        num: '0.1234567890123456789',
        nums: ['1.50'],
        given: [9007199254740993n],
      },
    ]);
  });
});

describe('provisioning', () => {
  const provision = (schema: string, sql: string, withoutTenant: readonly string[] = []) =>
    provisionSchema({
      ownerUrl: target.url,
      roleSecret: TEST_ROLE_SECRET,
      schema,
      withoutTenant,
      migrations: [sqlMigration('It', 1_700_000_000_002, sql)],
    });

  it.each([
    ['a table without tenant_id', 'create table stray (id int)', 'stray has no tenant_id'],
    [
      'a tenant_id that may be null',
      'create table loose (tenant_id uuid)',
      'loose.tenant_id must be uuid not null',
    ],
    [
      'a tenant_id of another type',
      'create table text_id (tenant_id text not null)',
      'text_id.tenant_id must be uuid not null',
    ],
    [
      'a view of the owner',
      'create view all_of_it as select * from outbox',
      'all_of_it: a view must be security_invoker',
    ],
    [
      'a materialised view',
      'create materialized view kept as select * from outbox',
      'a materialised view is not allowed',
    ],
    [
      'a security definer function',
      `create function f() returns int language sql security definer as 'select 1'`,
      'security definer',
    ],
  ])('refuses %s', async (what, sql, message) => {
    await expect(provision(`refused_${what.replace(/\W+/g, '_')}`.slice(0, 40), sql)).rejects.toThrow(
      message,
    );
  });

  it('accepts a view that asks as the caller', async () => {
    await provision('with_view', 'create view mine with (security_invoker = true) as select * from outbox');
  });

  it('refuses an allowance for a table that is not there', async () => {
    await expect(provision('stale', 'select 1', ['gone'])).rejects.toThrow('withoutTenant names gone');
  });

  it('is safe to run by several processes at once, over several schemas, and again', async () => {
    const all = ['race_a', 'race_b', 'race_a', 'race_b', 'race_a'].map((schema) =>
      provision(schema, 'create table t (tenant_id uuid not null)'),
    );
    await Promise.all(all);
    await provision('race_a', 'create table t (tenant_id uuid not null)');
    const { rows } = await direct(target.url, (owner) =>
      owner.query('select count(*)::int as n from race_a.schema_migration'),
    );
    expect(rows).toEqual([{ n: 2 }]);
  });

  it('corrects a role whose password belongs to another secret', async () => {
    await provision('rotated', 'select 1');
    const provisioning = {
      ownerUrl: target.url,
      schema: 'rotated',
      migrations: [sqlMigration('It', 1_700_000_000_002, 'select 1')],
    };
    await provisionSchema({ ...provisioning, roleSecret: 'a new secret of the installation' });
    const rotated = new PgDatabase({
      url: target.url,
      schema: 'rotated',
      roleSecret: 'a new secret of the installation',
    });
    await rotated.ping();
    await rotated.close();
  });

  it('needs no superuser, only an owner of the database who may create roles', async () => {
    await direct(target.url, async (admin) => {
      await admin.query(`create role modest login createrole password 'modest'`);
      await admin.query('create database modest owner modest');
    });
    const url = new URL(server.url('modest'));
    url.username = url.password = 'modest';
    const provisioning = {
      ownerUrl: url.toString(),
      schema: 'modest',
      migrations: [notes],
      withoutTenant: ['kind'],
    };
    await provisionSchema({ ...provisioning, roleSecret: TEST_ROLE_SECRET });
    await provisionSchema({ ...provisioning, roleSecret: 'a later secret of the installation' });
    const modest = new PgDatabase({
      url: url.toString(),
      schema: 'modest',
      roleSecret: 'a later secret of the installation',
    });
    await modest.ping();
    await modest.close();
  });

  it('refuses a role that bypasses row-level security', async () => {
    await direct(target.url, (owner) => owner.query('create role tallygate_mighty_api superuser'));
    await expect(provision('mighty', 'select 1')).rejects.toThrow('bypasses row-level security');
  });
});
