import { randomUUID } from 'node:crypto';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase, PgDatabase, provisionSchema } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { ingestionProvisioning } from '../ingestion.module';
import type { TenantSource } from '../service/ports';
import { PgRawSources } from './pg-raw-sources';

const [ONE, TWO] = [randomUUID(), randomUUID()];
const of = (tenantId: string, ...sources: string[]): TenantSource[] =>
  sources.map((source) => ({ tenantId, source }));

let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
});
afterAll(() => server.stop());

beforeEach(async () => {
  test = await createTestDatabase(server, [ingestionProvisioning]);
  database = new PgDatabase({ url: test.url, schema: 'ingestion', roleSecret: test.roleSecret });
});
afterEach(async () => {
  await database.close();
  await test.drop();
});

async function notedAmong(asked: readonly TenantSource[]): Promise<readonly TenantSource[]> {
  const isNoted = await new PgRawSources(database).among(asked);
  return asked.filter(isNoted);
}

async function rows(): Promise<number> {
  const { rowCount } = await database.asWorker((tx) => tx.query('select from raw_source'));
  return rowCount ?? 0;
}

describe('the sources of what came through usage.raw', () => {
  it('are known to every process, tenant by tenant', async () => {
    const noting = new PgRawSources(database);
    await noting.note(of(ONE, 'a', 'b'));
    await noting.note([...of(ONE, 'b'), ...of(TWO, 'c')]);
    await noting.note([]);
    const asked = [...of(ONE, 'a', 'b', 'c'), ...of(TWO, 'a', 'b', 'c')];
    expect(await notedAmong(asked)).toEqual([...of(ONE, 'a', 'b'), ...of(TWO, 'c')]);
    expect(await notedAmong([])).toEqual([]);
  });

  it('are taken as one when a tenant names ever new ones', async () => {
    const noting = new PgRawSources(database);
    const many = Array.from({ length: 999 }, (_, place) => `s${place}`);
    await noting.note([...of(ONE, ...many), ...of(TWO, 'x')]);
    expect(await notedAmong(of(ONE, 's7', 'y'))).toEqual(of(ONE, 's7'));
    await noting.note(of(ONE, 't1', 't2'));
    await noting.note(of(ONE, 't3', 't4'));
    expect(await notedAmong([...of(ONE, 's7', 'y'), ...of(TWO, 'y')])).toEqual(of(ONE, 's7', 'y'));
    expect(await rows()).toBe(999 + 1 + 1);
  });

  it('count as one for tenants from before they were noted', async () => {
    const before = { ...ingestionProvisioning, migrations: ingestionProvisioning.migrations.slice(0, 3) };
    const old = await createTestDatabase(server, [before]);
    const upgraded = new PgDatabase({ url: old.url, schema: 'ingestion', roleSecret: old.roleSecret });
    await upgraded.asWorker((tx) =>
      tx.query(`insert into tenant_facts (tenant_id, changed_at, facts) values ($1, now(), '{}')`, [ONE]),
    );
    await provisionSchema({ ...ingestionProvisioning, ownerUrl: old.url, roleSecret: old.roleSecret });
    const asked = [...of(ONE, 'a'), ...of(TWO, 'a')];
    const isNoted = await new PgRawSources(upgraded).among(asked);
    expect(asked.filter(isNoted)).toEqual(of(ONE, 'a'));
    await upgraded.close();
    await old.drop();
  });
});
