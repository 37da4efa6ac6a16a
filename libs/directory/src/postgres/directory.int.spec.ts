import { parseInstant, SystemClock } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { catalogSchema } from '@tallygate/contracts';
import type { BillingEvent, CustomerFacts, SubscriptionFacts, TenantFacts } from '@tallygate/contracts';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase, PgDatabase, PgTenantTime } from '@tallygate/platform';
import type { TestDatabase, Tx } from '@tallygate/platform';
import { directoryMigration } from './migrations/directory.migration';
import { Directory } from './directory';

const ONE = '00000000-0000-7000-8000-000000000001';
const TWO = '00000000-0000-7000-8000-000000000002';
const ACME = '00000000-0000-7000-8000-0000000000a1';
const BETA = '00000000-0000-7000-8000-0000000000b1';

let server: PostgresServer;
let target: TestDatabase;
let database: PgDatabase;
let time: PgTenantTime;
let directory: Directory;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  target = await createTestDatabase(server, [{ schema: 'ledger', migrations: [directoryMigration] }]);
  database = new PgDatabase({ url: target.url, schema: 'ledger', roleSecret: target.roleSecret });
  time = new PgTenantTime(database, new SystemClock());
  directory = new Directory(database, time);
});
afterEach(async () => {
  await database.close();
  await target.drop();
});

const apply = (...events: BillingEvent[]) =>
  database.asWorker(async (tx) => {
    const news: boolean[] = [];
    for (const event of events) news.push(await directory.apply(tx, event));
    return news;
  });
const look = <T>(read: (tx: Tx) => Promise<T>, tenantId = ONE) => database.asTenant(tenantId, read);

function fact<T extends BillingEvent['type']>(
  type: T,
  data: Extract<BillingEvent, { type: T }>['data'],
  tenantId = ONE,
  occurredAt = '2026-03-01T00:00:00Z',
): BillingEvent {
  return { id: 'fact', type, tenantId, occurredAt, data } as unknown as BillingEvent;
}

function customer(changes: Partial<CustomerFacts> = {}, tenantId = ONE): BillingEvent {
  const facts: CustomerFacts = {
    id: ACME,
    key: 'acme',
    name: null,
    email: null,
    webhookUrl: null,
    timezone: 'UTC',
    currency: 'USD',
    subjects: [],
    apiKeys: [],
    parentId: null,
    payerId: null,
    overdraft: {},
    version: 1,
    ...changes,
  };
  return fact('customer.changed', { customer: facts }, tenantId);
}

function tenant(changes: Partial<TenantFacts>, occurredAt?: string): BillingEvent {
  const settings = {
    lateness: '1h',
    dedupWindow: '35d',
    discloseBalance: false,
    disclosePrice: true,
    portalUrl: null,
    docsUrl: null,
  };
  const facts: TenantFacts = {
    id: ONE,
    name: 'one',
    mode: 'live',
    timezone: 'UTC',
    currency: 'USD',
    settings,
    clock: null,
    ...changes,
  };
  return fact('tenant.changed', { tenant: facts }, facts.id, occurredAt);
}

function subscription(changes: Partial<SubscriptionFacts>): BillingEvent {
  return fact('subscription.changed', {
    subscription: { customerId: ACME, endedAt: null, version: 1, ...changes } as SubscriptionFacts,
  });
}

function catalog(revision: number, ...meters: string[]): BillingEvent {
  const document = { meters: meters.map((key) => ({ key, event_type: key, aggregation: 'count' })) };
  return fact('catalog.applied', { revision, catalog: catalogSchema.parse(document) });
}

describe('apply', () => {
  test('takes a fact once, and never an older one', async () => {
    const named = (version: number) => customer({ name: `v${version}`, version });
    expect(await apply(named(2), named(2), named(1), named(3))).toEqual([true, false, false, true]);
    expect(await look((tx) => directory.customerById(tx, ONE, ACME))).toMatchObject({
      name: 'v3',
      version: 3,
    });
  });

  test('orders tenants by the instant of their change, catalogs by revision', async () => {
    const at = (name: string, hour: number) => tenant({ name }, `2026-03-01T0${hour}:00:00Z`);
    expect(await apply(at('second', 2), at('first', 1), catalog(7, 'calls'), catalog(6))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(await look((tx) => directory.tenant(tx, ONE))).toMatchObject({ name: 'second' });
    expect(await look((tx) => directory.catalog(tx, ONE))).toMatchObject({
      revision: 7,
      catalog: { meters: [{ key: 'calls' }] },
    });
  });

  test('leaves what is none of its business', async () => {
    expect(await apply(fact('top_up.failed', {} as never))).toEqual([false]);
  });

  test('sets the clock of a new test tenant, and never back', async () => {
    const start = parsed('2026-03-01T00:00:00.000001Z');
    const event = tenant({ mode: 'test', clock: '2026-03-01T00:00:00.000001Z' });
    await apply(event);
    expect(await time.now(ONE)).toBe(start);
    const later = parsed('2026-04-01T00:00:00Z');
    await time.set(ONE, later);
    await apply(event);
    expect(await time.now(ONE)).toBe(later);
  });

  test('leaves nothing when its transaction does not commit', async () => {
    const broken = database.asWorker(async (tx) => {
      await directory.apply(tx, customer());
      throw new Error('broken');
    });
    await expect(broken).rejects.toThrow('broken');
    expect(await look((tx) => directory.customerByKey(tx, ONE, 'acme'))).toBeNull();
  });
});

test('finds several customers in one look-up, without those it does not know', async () => {
  await apply(customer(), customer({ id: BETA, key: 'beta' }));
  const unknown = '00000000-0000-7000-8000-0000000000ff';
  const found = await look((tx) => directory.customersByIds(tx, ONE, [BETA, unknown, ACME, BETA]));
  expect([...found].map(([id, { key }]) => [id, key]).sort()).toEqual(
    [
      [ACME, 'acme'],
      [BETA, 'beta'],
    ].sort(),
  );
});

describe('subjects', () => {
  const owners = (...subjects: string[]) =>
    database.asWorker((tx) =>
      directory.customersBySubjects(
        tx,
        subjects.map((subject) => ({ tenantId: ONE, subject })),
      ),
    );

  test('finds customers by subject or key, in the order asked, each as often as asked', async () => {
    await apply(customer({ subjects: ['s1', 's2'] }), customer({ id: BETA, key: 'beta' }));
    expect(await owners('beta', 's2', 'nobody', 's1', 'acme', 's2')).toEqual([
      BETA,
      ACME,
      null,
      ACME,
      ACME,
      ACME,
    ]);
    expect(await owners()).toEqual([]);
  });

  test('a subject beats a key of the same text', async () => {
    await apply(customer(), customer({ id: BETA, key: 'beta', subjects: ['acme'] }));
    expect(await owners('acme')).toEqual([BETA]);
  });

  test('moves a subject to the customer that names it last, and takes it from who names it no more', async () => {
    await apply(
      customer({ subjects: ['s1', 's2', 's1'] }),
      customer({ id: BETA, key: 'beta', subjects: ['s1'] }),
    );
    expect(await owners('s1', 's2')).toEqual([BETA, ACME]);
    await apply(customer({ subjects: [], version: 2 }));
    expect(await owners('s1', 's2')).toEqual([BETA, null]);
  });

  test('tells tenants apart', async () => {
    await apply(customer({ subjects: ['s1'] }), customer({ id: BETA, subjects: ['s1'] }, TWO));
    const both = [ONE, TWO].map((tenantId) => ({ tenantId, subject: 's1' }));
    expect(await database.asWorker((tx) => directory.customersBySubjects(tx, both))).toEqual([ACME, BETA]);
  });
});

describe('look-ups', () => {
  test('answers the subscription that has not ended, else the last that did', async () => {
    const ended = (id: string, startedAt: string) =>
      subscription({ id, startedAt, endedAt: '2026-06-01T00:00:00Z' });
    const [first, second, third] = [1, 2, 3].map((n) => `00000000-0000-7000-8000-00000000000${n}`) as [
      string,
      string,
      string,
    ];
    const current = () =>
      look((tx) => directory.subscription(tx, ONE, ACME)).then((found) => found?.id ?? null);
    expect(await current()).toBeNull();
    await apply(ended(second, '2026-02-01T00:00:00Z'), ended(first, '2026-01-01T00:00:00Z'));
    expect(await current()).toBe(second);
    await apply(subscription({ id: third, startedAt: '2025-01-01T00:00:00Z' }));
    expect(await current()).toBe(third);
  });

  test('keeps one catalog object per revision', async () => {
    await apply(catalog(1, 'a'));
    const read = () => look((tx) => directory.catalog(tx, ONE));
    const first = await read();
    expect(await read()).toBe(first);
    await apply(catalog(2, 'b'));
    expect(await read()).toMatchObject({ revision: 2, catalog: { meters: [{ key: 'b' }] } });
  });

  test('shows a tenant nothing of another', async () => {
    await apply(customer(), tenant({}));
    expect(await look((tx) => directory.customerById(tx, ONE, ACME), TWO)).toBeNull();
    expect(await look((tx) => directory.customerByKey(tx, ONE, 'acme'), TWO)).toBeNull();
    expect(await look((tx) => directory.tenant(tx, ONE), TWO)).toBeNull();
  });

  test('waits for a customer whose fact is on its way', async () => {
    const waiting = directory.resolveCustomer(ONE, 'acme', 30_000);
    await apply(customer());
    expect(await waiting).toMatchObject({ id: ACME });
  });

  test('gives up on one that does not come', async () => {
    expect(await directory.resolveCustomer(ONE, 'acme', 0)).toBeNull();
    expect(await directory.resolveTenant(ONE, 0)).toBeNull();
  });
});

function parsed(text: string): Instant {
  const result = parseInstant(text);
  if (!result.ok) throw new Error(text);
  return result.value;
}
