import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { ManualClock } from '@tallygate/kernel';
import { createTestDatabase, PgDatabase } from '@tallygate/platform';
import type { TestDatabase, Tx } from '@tallygate/platform';
import { debit } from '../domain';
import { ledgerProvisioning } from '../provisioning';
import type { LockedWallet } from '../service/wallet-store';
import { assembleLedger } from '../testing/ledger-under-test';
import { hours, START } from '../testing/sample';
import { units } from '../testing/wallets';
import { PgSubscriptionStore } from './pg-subscription.store';
import { PgWalletStore } from './pg-wallet.store';

const dataDir = mkdtempSync(join(tmpdir(), 'tallygate-wallets-'));
let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let wallets: PgWalletStore;

beforeAll(async () => {
  server = await startPostgres({ dataDir, settings: { fsync: 'off' } });
  test = await createTestDatabase(server, [ledgerProvisioning]);
  database = new PgDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});
beforeEach(() => (wallets = new PgWalletStore()));

const newKey = () => ({ tenantId: randomUUID(), customerId: randomUUID(), unit: 'USD' });

const GRANT = {
  amount: units(1),
  kind: 'paid',
  priority: 100,
  effectiveAt: null,
  features: null,
  recurrence: null,
  rollover: null,
} as const;

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

const KNOWN = 'ledger_lock_known_wallets';
const READ = ['ledger_live_lots', 'ledger_recurrences'];
const ALL = ['ledger_lock_wallets', ...READ];
const newLedger = () => assembleLedger(database, new ManualClock(START));
let here: ReturnType<typeof newLedger>;
let id: bigint;

const post = (ledger: typeof here, amount: number): Promise<void> =>
  database.asWorker(async (tx) => {
    const open = await ledger.posting.openById(tx, [id], () => hours(1));
    for (const { draft } of open)
      debit(draft, { amount: units(amount), feature: null, reference: randomUUID() });
    await ledger.posting.close(tx, open, 'all');
  });

/** What it locked and by which statements. The transaction changes nothing. */
async function locked(ledger: typeof here): Promise<{ wallet: LockedWallet | undefined; asked: string[] }> {
  const asked: string[] = [];
  const wallet = await database.asWorker(async (tx) => {
    const query: Tx['query'] = (statement, values) => {
      asked.push(typeof statement === 'string' ? statement : (statement.name ?? ''));
      return tx.query(statement, values);
    };
    const seen: Tx = { client: tx.client, query, afterCommit: (act) => tx.afterCommit(act) };
    return (await ledger.wallets.lock(seen, [id])).get(id);
  });
  return { wallet, asked };
}

const asStored = async () => (await locked(newLedger())).wallet;

describe('a wallet as this process committed it last', () => {
  beforeEach(async () => {
    here = newLedger();
    const key = newKey();
    await database.asWorker(async (tx) => {
      for (const [name, expiresAt] of [
        ['ends', hours(10)],
        ['stays', null],
      ] as const) {
        const granted = await here.grants.grant(
          tx,
          { ...key, ...GRANT, key: name, source: name, expiresAt },
          START,
        );
        expect(granted).toMatchObject({ status: 'granted' });
      }
      [id = 0n] = await here.wallets.ensure(tx, [key]);
    });
    await post(here, 0.25);
  });

  it('is not read again, and is as it is stored', async () => {
    for (const amount of [0.5, 0.25, 0.125]) {
      await post(here, amount);
      const stored = await asStored();
      expect(await locked(here)).toEqual({ wallet: stored, asked: [KNOWN] });
      await post(here, 0.001);
    }
    expect((await asStored())?.wallet.lots.map((lot) => lot.remaining)).toEqual([units(0.872)]);
  });

  it('asks nothing where a slice touches no wallet', async () => {
    const asking = database.asWorker((tx) => {
      const query = () => Promise.reject(new Error('asked'));
      return here.wallets.lock({ ...tx, query }, []);
    });
    expect((await asking).size).toBe(0);
  });

  it('is read when another process changed it', async () => {
    await post(newLedger(), 0.5);
    expect(await locked(here)).toEqual({
      wallet: await asStored(),
      asked: [KNOWN, 'ledger_read_wallets', ...READ],
    });
  });

  it('is read when terms of its customer changed', async () => {
    const lent = await database.asWorker(async (tx) => {
      const { rows } = await tx.query<{ tenant_id: string; customer_id: string }>(
        `insert into customer_facts (tenant_id, customer_id, key, version, facts)
         select tenant_id, customer_id, customer_id::text, 1, '{"overdraft": {"USD": "7"}}' from wallet where id = $1
         returning tenant_id, customer_id`,
        [id],
      );
      const [{ tenant_id: tenant, customer_id: customer } = { tenant_id: '', customer_id: '' }] = rows;
      await new PgSubscriptionStore().refreshWallets(tx, tenant, customer);
      return units(7);
    });
    expect((await locked(here)).wallet?.wallet.overdraft).toBe(lent);
  });

  it('is read after work on it was rolled back', async () => {
    const failing = database.asWorker(async (tx) => {
      const [open] = await here.posting.openById(tx, [id], () => hours(1));
      debit(open!.draft, { amount: units(0.5), feature: null, reference: 'r' });
      await here.posting.close(tx, [open!], 'all');
      throw new Error('a deadlock');
    });
    await expect(failing).rejects.toThrow('a deadlock');
    expect(await locked(here)).toEqual({ wallet: await asStored(), asked: ALL });
  });

  it('is read on another server, whose revisions may be another history', async () => {
    await server.stop();
    server = await startPostgres({ dataDir, port: server.port, settings: { fsync: 'off' } });
    const stored = await asStored();
    expect(await locked(here)).toEqual({ wallet: stored, asked: [KNOWN, ...ALL] });
    await post(here, 0.125);
    expect(await locked(here)).toEqual({ wallet: await asStored(), asked: [KNOWN] });
  });
});
