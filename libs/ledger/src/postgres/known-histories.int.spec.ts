import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { ManualClock } from '@tallygate/kernel';
import { createTestDatabase, PgDatabase } from '@tallygate/platform';
import type { TestDatabase, Tx } from '@tallygate/platform';
import type { SubscriptionTerms } from '../domain';
import { ledgerProvisioning } from '../provisioning';
import { assembleLedger } from '../testing/ledger-under-test';
import { customerFacts, hours, introduce, START, subscriptionFacts, tell } from '../testing/sample';
import type { SampleTenant } from '../testing/sample';
import { KnownHistories } from './known-histories';
import { PgSubscriptionStore } from './pg-subscription.store';

const dataDir = mkdtempSync(join(tmpdir(), 'tallygate-histories-'));
const subscriptions = new PgSubscriptionStore();
let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let ledger: ReturnType<typeof assembleLedger>;
let of: SampleTenant;
let known: KnownHistories;
/** Customers in the order in which they were read. */
let read: string[];

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
beforeEach(async () => {
  ledger = assembleLedger(database, new ManualClock(START));
  of = await introduce(ledger);
  read = [];
  known = new KnownHistories((tx, customers) => {
    read.push(...customers.keys());
    return ledger.usage.histories(tx, customers);
  });
  expect(await history()).toEqual(await stored());
});

const asked = (tx: Tx, { tenantId, customerId } = of) => known.of(tx, new Map([[customerId, tenantId]]));

const history = async (customer = of): Promise<readonly SubscriptionTerms[] | undefined> =>
  (await database.asWorker((tx) => asked(tx, customer))).get(customer.customerId);

const stored = ({ tenantId, customerId } = of): Promise<readonly SubscriptionTerms[]> =>
  database.asWorker(
    async (tx) => (await ledger.usage.histories(tx, new Map([[customerId, tenantId]]))).get(customerId) ?? [],
  );

const subscribe = (customer = of): Promise<void> =>
  tell(ledger, customer.tenantId, hours(1), 'subscription.changed', {
    subscription: subscriptionFacts(customer.customerId, 'monthly', hours(1)),
  });

const reset = (tx: Tx, feature = 'calls') =>
  subscriptions.addReset(tx, of.tenantId, of.customerId, { feature, at: hours(2), keepAnchor: false });

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const CHANGES: Record<string, () => Promise<unknown>> = {
  'a subscription': () => subscribe(),
  'a reset': () => database.asWorker((tx) => reset(tx)),
  'another zone': () =>
    tell(ledger, of.tenantId, hours(1), 'customer.changed', {
      customer: customerFacts(of.customerId, { timezone: 'Asia/Tokyo', version: 2 }),
    }),
  budgets: () =>
    tell(ledger, of.tenantId, hours(1), 'customer.changed', {
      customer: customerFacts(of.customerId, {
        budgets: [{ feature: 'completions', day: '5', month: null }],
        version: 2,
      }),
    }),
};

describe('histories that were read before', () => {
  it('are not read again while nothing changes, nor when what changes is another customer’s', async () => {
    const other = await introduce(ledger);
    await subscribe(other);
    expect(await history()).toEqual(await stored());
    expect(read).toEqual([of.customerId]);
  });

  it.each(Object.keys(CHANGES))('are read again after %s', async (change) => {
    const before = await stored();
    await CHANGES[change]?.();
    const after = await stored();
    expect(after).not.toEqual(before);
    expect(await history()).toEqual(after);
    expect(await history()).toEqual(after);
    expect(read).toEqual([of.customerId, of.customerId]);
  });

  it('are read again after a change that began before they were read and was committed later', async () => {
    const late = await introduce(ledger);
    const commit = gate();
    const begun = gate();
    const changing = database.asWorker(async (tx) => {
      await reset(tx);
      begun.open();
      await commit.opened;
    });
    await begun.opened;
    await history(late);
    expect((await history())?.[0]?.resets).toEqual([]);
    commit.open();
    await changing;
    expect((await history())?.[0]?.resets).toHaveLength(1);
  });

  it('of a customer without a subscription are known as none until there is one', async () => {
    const customer = { tenantId: of.tenantId, customerId: randomUUID() };
    expect([await history(customer), await history(customer)]).toEqual([[], []]);
    expect(read).toEqual([of.customerId, customer.customerId]);
    await subscribe(customer);
    expect(await history(customer)).toHaveLength(1);
  });

  it('are not kept when another transaction asked between the question and the reading', async () => {
    const late = await introduce(ledger);
    let between = async (): Promise<void> => undefined;
    known = new KnownHistories(async (tx, customers) => {
      const found = await ledger.usage.histories(tx, customers);
      await between();
      return found;
    });
    between = async () => {
      between = () => Promise.resolve();
      await subscribe(late);
      await history();
    };
    expect(await history(late)).toHaveLength(1);
    expect(await history(late)).toHaveLength(2);
  });

  it('are read on another server, whose transactions may be others', async () => {
    await server.stop();
    server = await startPostgres({ dataDir, port: server.port, settings: { fsync: 'off' } });
    expect(await history()).toEqual(await stored());
    expect(await history()).toEqual(await stored());
    expect(read).toEqual([of.customerId, of.customerId]);
  });
});
