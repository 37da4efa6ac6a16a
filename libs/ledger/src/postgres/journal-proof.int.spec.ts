import { randomUUID } from 'node:crypto';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { ManualClock, addMicros, MICROS } from '@tallygate/kernel';
import { createTestDatabase, PgDatabase, roleUrl, silentLog } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { Client } from 'pg';
import { ledgerProvisioning } from '../provisioning';
import { JournalSealer } from '../service/journal-sealer';
import { assembleLedger } from '../testing/ledger-under-test';
import type { LedgerUnderTest } from '../testing/ledger-under-test';
import { addCustomer, introduce, START, usageEvent } from '../testing/sample';
import type { SampleTenant } from '../testing/sample';
import { journalProofOver } from './journal-proof-over';
import { PgJournalSeals } from './pg-journal-seals';
import { SEALED_COLUMNS } from './sql/seal';

const WALLETS = 5;
const SLICES = 6;

let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let ledger: LedgerUnderTest;
let owner: Client;
let tenant: SampleTenant;
let customers: SampleTenant[];

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
});
afterAll(() => server.stop());

beforeEach(async () => {
  test = await createTestDatabase(server, [ledgerProvisioning]);
  database = new PgDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
  ledger = assembleLedger(database, new ManualClock(START));
  owner = new Client({ connectionString: test.url, options: '-c search_path=ledger' });
  await owner.connect();
  tenant = await introduce(ledger);
  customers = Array.from({ length: WALLETS }, () => ({
    tenantId: tenant.tenantId,
    customerId: randomUUID(),
  }));
  for (const customer of customers) await addCustomer(ledger, customer, 'payg', START);
  for (let slice = 0; slice < SLICES; slice += 1) {
    await use();
    if (slice % 2 === 1) await seal();
  }
});
afterEach(async () => {
  await owner.end();
  await database.close();
  await test.drop();
});

const use = () =>
  ledger.slices.take(
    customers.map((customer) => usageEvent(customer, { tokens: '500' })),
    null,
  );

let turn = 0;
async function seal(): Promise<void> {
  const sealer = new JournalSealer(database, new PgJournalSeals(), silentLog, () => undefined);
  await sealer.sweep(null, addMicros(START, (turn += 1) * MICROS.second));
}

const proof = () => journalProofOver(database).of(tenant.tenantId);

/** As whoever owns the server: no trigger, no grant stands in the way. */
async function tamper(sql: string): Promise<void> {
  await owner.query(`begin; set local session_replication_role = replica; ${sql}; commit`);
}

const walletId = async (place: number): Promise<bigint> => {
  const { rows } = await owner.query<{ id: string }>('select id from wallet order by id offset $1 limit 1', [
    place,
  ]);
  return BigInt(rows[0]?.id ?? 0);
};

describe('the chain over the journal', () => {
  it('covers every row of every wallet once, whatever was written meanwhile', async () => {
    await Promise.all([seal(), use(), seal(), use(), seal()]);
    await seal();
    const { balanced, whole, chain } = await proof();
    expect({ balanced, whole, fault: chain.fault }).toEqual({ balanced: true, whole: true, fault: null });
    const { rows } = await owner.query<{ count: string }>('select count(*) from journal');
    expect(chain.sealedRows).toBe(BigInt(rows[0]?.count ?? 0));
    expect(chain.openRows).toBe(0n);
  });

  it('says how much is not sealed yet', async () => {
    await use();
    const { whole, chain } = await proof();
    expect({ whole, open: chain.openRows, seals: chain.head?.seq }).toEqual({
      whole: true,
      open: 5n,
      seals: 3n,
    });
  });

  it('seals every column of the journal', async () => {
    const { rows } = await owner.query<{ name: string }>(
      `select column_name as name from information_schema.columns where table_schema = 'ledger' and table_name = 'journal'`,
    );
    expect(Object.values(SEALED_COLUMNS).flat().sort()).toEqual(rows.map((row) => row.name).sort());
  });

  it.each([
    ['free = free - 1, contra = contra + 1', 'its amounts differ from what was sealed'],
    [`posted_at = posted_at + interval '1 second'`, 'its kind or times differ from what was sealed'],
    [`reference = 'somebody'`, 'what it refers to differ from what was sealed'],
    [
      `free = free - 1, contra = contra + 1, kind = 'void'`,
      'its amounts, its kind or times differ from what was sealed',
    ],
  ])('names the row whose %s', async (change, differs) => {
    const wallet = await walletId(2);
    await tamper(`update journal set ${change} where wallet_id = ${wallet} and version = 3`);
    const { whole, chain } = await proof();
    expect({ whole, fault: chain.fault }).toMatchObject({
      whole: false,
      fault: { wallet: { id: wallet, unit: 'USD' }, version: 3n, seal: null, differs },
    });
  });

  it('names the first of several', async () => {
    const [first, second] = [await walletId(1), await walletId(3)];
    await tamper(
      `update journal set kind = 'x' where (wallet_id, version) in ((${second}, 1), (${first}, 5), (${first}, 4))`,
    );
    expect((await proof()).chain.fault).toMatchObject({ wallet: { id: first }, version: 4n });
  });

  it('finds a row that was deleted, with its balance put right', async () => {
    const wallet = await walletId(0);
    await tamper(`delete from journal where wallet_id = ${wallet} and version = 6;
                  update wallet set version = 5, debt = debt - 1 where id = ${wallet}`);
    expect((await proof()).chain.fault).toMatchObject({ version: 6n, differs: 'the row is gone' });
  });

  it('finds a row that was inserted behind the last', async () => {
    const wallet = await walletId(0);
    await tamper(`insert into journal select wallet_id, 7, tenant_id, kind, posted_at, effective_at, lot_id, debt_id, feature,
                  reference, slice_id, free, held, debt, contra from journal where wallet_id = ${wallet} and version = 6`);
    expect((await proof()).chain.fault).toMatchObject({
      version: 7n,
      differs: 'the row was inserted: its wallet has no such version',
    });
  });

  it('finds rows that changed places', async () => {
    const wallet = await walletId(4);
    await tamper(`update journal set effective_at = effective_at + version * interval '1 second' where wallet_id = ${wallet} and version = 2;
                  update journal set version = 100 where wallet_id = ${wallet} and version = 1;
                  update journal set version = 1 where wallet_id = ${wallet} and version = 2;
                  update journal set version = 2 where wallet_id = ${wallet} and version = 100`);
    expect((await proof()).chain.fault).toMatchObject({ wallet: { id: wallet }, version: 1n });
  });

  it('finds a wallet that is gone with all its rows', async () => {
    const wallet = await walletId(3);
    await tamper(`delete from journal where wallet_id = ${wallet}; delete from wallet where id = ${wallet}`);
    expect((await proof()).chain.fault).toMatchObject({
      version: 1n,
      differs: 'its wallet and its row are gone',
    });
    await tamper(`delete from journal_seal_part where wallet_id = ${wallet}`);
    expect((await proof()).chain.fault).toMatchObject({
      seal: 1n,
      differs: 'what it says of its rows was changed, or is gone',
    });
  });

  it('finds a row changed together with what its part says of it', async () => {
    const wallet = await walletId(1);
    await tamper(`update journal set kind = 'x' where wallet_id = ${wallet} and version = 6;
                  delete from journal_seal_part where wallet_id = ${wallet} and last_version = 6`);
    await seal();
    expect((await proof()).chain.fault).toMatchObject({ seal: 3n });
  });

  it.each([
    ['delete from journal_seal where seq = 2', 3n, 'the seal before it is gone'],
    [
      `update journal_seal set sealed_at = sealed_at - interval '1 hour' where seq = 2`,
      2n,
      'it was changed itself',
    ],
    [`update journal_seal set previous = 'x' where seq = 3`, 3n, 'it does not continue the seal before it'],
    [`update journal_seal set rows = rows + 1 where seq = 1`, 1n, 'it was changed itself'],
  ])('names the seal: %s', async (sql, seq, differs) => {
    await tamper(sql);
    expect((await proof()).chain.fault).toEqual({ wallet: null, version: null, seal: seq, differs });
  });

  it('does not seal over rows that are missing', async () => {
    await use();
    const wallet = await walletId(2);
    await tamper(`delete from journal where wallet_id = ${wallet} and version = 7`);
    const broken: number[] = [];
    const sealer = new JournalSealer(database, new PgJournalSeals(), silentLog, (_rows, wallets) =>
      broken.push(wallets),
    );
    await sealer.sweep(null, START);
    expect(broken).toEqual([1]);
    expect((await proof()).chain.fault).toMatchObject({
      wallet: { id: wallet },
      version: 7n,
      differs: 'the row is gone',
    });
  });
});

describe('the roles of the services', () => {
  const tables = ledgerProvisioning.appendOnly.map((table) => {
    const column = table === 'partition_skip' ? 'id' : 'tenant_id';
    return [
      table,
      [`update ${table} set ${column} = ${column}`, `delete from ${table}`, `truncate ${table}`],
    ] as const;
  });

  it.each(tables)('may not change, delete or truncate rows of %s', async (_table, changes) => {
    for (const role of ['tallygate_ledger_api', 'tallygate_ledger_worker']) {
      const connectionString = roleUrl(test.url, test.roleSecret, role);
      const client = new Client({ connectionString, options: '-c search_path=ledger' });
      await client.connect();
      const refusals = await Promise.all(
        changes.map((sql) => client.query(sql).catch((error: unknown) => error)),
      );
      await client.end();
      expect(refusals).toMatchObject([{ code: '42501' }, { code: '42501' }, { code: '42501' }]);
    }
  });

  it.each(tables)('nor the owner of %s, whom a trigger stops', async (_table, changes) => {
    for (const sql of changes) await expect(owner.query(sql)).rejects.toMatchObject({ code: '23001' });
  });
});
