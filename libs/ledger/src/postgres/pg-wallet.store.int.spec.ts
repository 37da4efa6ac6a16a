import { randomUUID } from 'node:crypto';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase, PgDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { ledgerProvisioning } from '../provisioning';
import { PgWalletStore } from './pg-wallet.store';

let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let wallets: PgWalletStore;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  test = await createTestDatabase(server, [ledgerProvisioning]);
  database = new PgDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});
beforeEach(() => (wallets = new PgWalletStore()));

const newKey = () => ({ tenantId: randomUUID(), customerId: randomUUID(), unit: 'USD' });

describe('wallets by key', () => {
  it('are there after a transaction that made them was rolled back, however often it asked', async () => {
    const [key, other] = [newKey(), newKey()];
    const failing = database.asWorker(async (tx) => {
      await wallets.ensure(tx, [key]);
      await wallets.ensure(tx, [key, other]);
      throw new Error('a deadlock');
    });
    await expect(failing).rejects.toThrow('a deadlock');
    const found = await database.asWorker(async (tx) => {
      const ids = await wallets.ensure(tx, [key, other]);
      return [...(await wallets.lock(tx, ids)).values()].map(({ wallet }) => wallet.customerId);
    });
    expect(found.sort()).toEqual([key.customerId, other.customerId].sort());
  });

  it('are one wallet for all who make them at once', async () => {
    const key = newKey();
    const ids = await Promise.all(
      Array.from({ length: 8 }, () => database.asWorker((tx) => wallets.ensure(tx, [key]))),
    );
    expect(new Set(ids.flat()).size).toBe(1);
  });
});
