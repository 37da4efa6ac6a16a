import { Directory } from '@tallygate/directory';
import { startPostgres, waitUntil } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { SystemClock } from '@tallygate/kernel';
import { createTestDatabase, PgDatabase, PgTenantTime } from '@tallygate/platform';
import type { TestDatabase, Tx } from '@tallygate/platform';
import { ingestionProvisioning } from '../ingestion.module';
import { DirectoryCustomerLookup } from './directory-customer-lookup';

const TENANT = '00000000-0000-7000-8000-000000000001';
const ACME = '00000000-0000-7000-8000-0000000000a1';
const BETA = '00000000-0000-7000-8000-0000000000b1';
const SOON_MS = 10_000;

/** Counts transactions, which is what a look-up costs; may be away. */
class WatchedDatabase extends PgDatabase {
  transactions = 0;
  away = false;

  override async asWorker<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    this.transactions += 1;
    if (this.away) throw new Error('the database is away');
    return super.asWorker(work);
  }
}

let server: PostgresServer;
let target: TestDatabase;
let database: WatchedDatabase;
let lookup: DirectoryCustomerLookup;
/** What the process's clock of elapsed time says. */
let elapsed: number;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
});
afterAll(() => server?.stop());

beforeEach(async () => {
  elapsed = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => elapsed);
  target = await createTestDatabase(server, [ingestionProvisioning]);
  database = new WatchedDatabase({ url: target.url, schema: 'ingestion', roleSecret: target.roleSecret });
  lookup = new DirectoryCustomerLookup(
    new Directory(database, new PgTenantTime(database, new SystemClock())),
    database,
  );
});
afterEach(async () => {
  jest.restoreAllMocks();
  await database.close();
  await target.drop();
});

const belongs = (subject: string, customerId: string) =>
  database.asTenant(TENANT, (tx) =>
    tx.query(
      `insert into customer_subject (tenant_id, subject, customer_id) values ($1, $2, $3)
       on conflict (tenant_id, subject) do update set customer_id = excluded.customer_id`,
      [TENANT, subject, customerId],
    ),
  );
const find = (...subjects: string[]) =>
  lookup.find(subjects.map((subject) => ({ tenantId: TENANT, subject })));

test('subjects in use are asked again together, and nobody waits for it', async () => {
  await belongs('acme', ACME);
  await belongs('beta', BETA);
  expect(await find('acme', 'beta', 'nobody')).toEqual([ACME, BETA, null]);
  expect(await find('acme', 'beta')).toEqual([ACME, BETA]);
  expect(database.transactions).toBe(1);
  elapsed = 600;
  expect(await Promise.all([find('acme'), find('beta', 'acme'), find('acme')])).toEqual([
    [ACME],
    [BETA, ACME],
    [ACME],
  ]);
  expect(database.transactions).toBe(2);
});

test('a subject in use that moves to another customer is noticed before its second is over', async () => {
  await belongs('acme', ACME);
  expect(await find('acme')).toEqual([ACME]);
  await belongs('acme', BETA);
  elapsed = 499;
  expect(await find('acme')).toEqual([ACME]);
  expect(database.transactions).toBe(1);
  elapsed = 500;
  expect(await waitUntil(async () => (await find('acme'))[0] === BETA, SOON_MS)).toBe(true);
});

test('a database that is away is told to who needs it, not to who need not', async () => {
  await belongs('acme', ACME);
  await find('acme');
  database.away = true;
  elapsed = 999;
  expect(await find('acme')).toEqual([ACME]);
  elapsed = 1_000;
  await expect(find('acme')).rejects.toThrow('the database is away');
  database.away = false;
  expect(await find('acme')).toEqual([ACME]);
});
