import { billingProvisioning } from '@tallygate/billing';
import { type PostgresServer, startPostgres } from '@tallygate/infra-local';
import { ledgerProvisioning } from '@tallygate/ledger';
import { ingestionProvisioning } from '@tallygate/metering';
import { type TestDatabase, createTestDatabase } from '@tallygate/platform';
import { CLIENT_TABLES, OFFSET_WATCH, brokenLaws, brokenWatchLaws } from '@tallygate/testing';
import { Client } from 'pg';

const TENANT = '0198c0de-0000-7000-8000-000000000001';
const CUSTOMER = '0198c0de-0000-7000-8000-000000000002';
const GRANT = '0198c0de-0000-7000-8000-000000000003';
const LOT = '0198c0de-0000-7000-8000-000000000004';
const TOP_UP = '0198c0de-0000-7000-8000-000000000005';
const INVOICE = '0198c0de-0000-7000-8000-000000000006';
const AT = '2026-03-01T00:00:00Z';

/** One customer who bought 10, used 500 tokens (1.00), and whose books are right. */
const RIGHT = `
insert into billing.customer (tenant_id, id, key, body) values ('${TENANT}', '${CUSTOMER}', 'acme', '{}');
insert into billing.top_up
  (tenant_id, id, customer_id, key, unit, amount, status, invoice_id, auto, created_at, paid_at)
  values ('${TENANT}', '${TOP_UP}', '${CUSTOMER}', 'purchase-0', 'USD', 10, 'paid', '${INVOICE}', false, '${AT}', '${AT}');
insert into ledger.wallet (id, tenant_id, customer_id, unit, version, free) overriding system value
  values (1, '${TENANT}', '${CUSTOMER}', 'USD', 2, 9);
insert into ledger.credit_grant (id, tenant_id, wallet_id, key, source, kind, priority, amount, effective_at, created_at)
  values ('${GRANT}', '${TENANT}', 1, 'purchase-0', 'top_up:${TOP_UP}', 'paid', 100, 10, '${AT}', '${AT}');
insert into ledger.lot
  (id, tenant_id, wallet_id, grant_id, grant_key, kind, priority, effective_at, amount, remaining, held, state, live)
  values ('${LOT}', '${TENANT}', 1, '${GRANT}', 'purchase-0', 'paid', 100, '${AT}', 10, 9, 0, 'live', true);
insert into ledger.journal (wallet_id, version, tenant_id, kind, posted_at, effective_at, lot_id, free, held, debt, contra)
  values (1, 1, '${TENANT}', 'grant', '${AT}', '${AT}', '${LOT}', 10, 0, 0, -10),
         (1, 2, '${TENANT}', 'usage', '${AT}', '${AT}', '${LOT}', -1, 0, 0, 1);
insert into client_usage values ('http-1', 'acme', 500, true), ('http-2', 'acme', 7, false);
insert into client_top_up values ('purchase-0', 'acme', 10, 201);
insert into client_conflict values ('http-1', 'taken'), ('http-2', 'refused');
insert into ingestion.dead_letter (tenant_id, id, origin, code, faults, source, event_id, payload, headers, received_at)
  values ('${TENANT}', gen_random_uuid(), 'here', 'identity_conflict', '[]', 'chaos', 'http-1', '', '{}', '${AT}');
update ledger.wallet set revision = 2;
insert into published_balance values ('${CUSTOMER}', 'USD', 2);
insert into capture values ('${INVOICE}', 10)`;

const eventOf = (id: string, amount: string, identity: string): string => `
insert into ledger.usage_event
  (generation, identity, ordinal, payload, tenant_id, customer_id, source, event_id, meter, quantity, occurred_at,
   slice_id, position, wallet_id, feature, amount, included)
values (1, '${identity}', 0, gen_random_uuid(), '${TENANT}', '${CUSTOMER}', 'chaos', '${id}', 'tokens', 500, '${AT}',
        1, 1, 1, 'completions', ${amount}, 0)`;

const FIRST = '0198c0de-0000-7000-8000-000000000007';
const OTHER = '0198c0de-0000-7000-8000-000000000008';

/** What is done to the books, and a law that must notice. */
const WRONGS: readonly (readonly [string, string, string])[] = [
  ['an event was lost', 'delete from ledger.usage_event', 'an acknowledged event is debited exactly once'],
  [
    'an event was debited twice',
    eventOf('http-1', '1', OTHER),
    'an acknowledged event is debited exactly once',
  ],
  [
    'one that was not acknowledged came twice',
    `${eventOf('http-2', '0.014', OTHER)};${eventOf('http-2', '0.014', GRANT)}`,
    'no event is debited twice',
  ],
  ['an event came from nowhere', eventOf('http-3', '1', OTHER), 'none that nobody sent'],
  [
    'an event cost too much',
    'update ledger.usage_event set amount = 2',
    'a debit is the price of what was sent',
  ],
  [
    'an event cost nothing',
    'update ledger.usage_event set amount = null',
    'an acknowledged event is debited exactly once',
  ],
  [
    'somebody else paid',
    `update client_usage set customer = 'other' where id = 'http-1'`,
    'from the wallet of its customer',
  ],
  [
    'a debit was journaled twice',
    `insert into ledger.journal select wallet_id, 3, tenant_id, kind, posted_at, effective_at, lot_id, debt_id, feature, reference, slice_id, free, held, debt, contra from ledger.journal where version = 2`,
    'per wallet the events sum to what the journal took',
  ],
  [
    'a balance was changed by hand',
    'update ledger.wallet set free = 8',
    'a balance is the fold of its journal',
  ],
  ['a version was left out', 'update ledger.wallet set version = 3', 'whose versions have no gap'],
  ['credit came from nowhere', 'update ledger.lot set amount = 11', 'what a customer has is what came in'],
  [
    'a purchase gave nothing',
    `update ledger.credit_grant set source = 'api'`,
    'a purchase that was answered "paid" gave its credit once',
  ],
  [
    'a purchase was captured twice',
    `insert into capture values ('${INVOICE}', 10)`,
    'the provider captured a purchase once',
  ],
  ['a paid purchase was never captured', 'delete from capture', 'the provider captured a purchase once'],
  [
    'a conflict was told nobody',
    'delete from ingestion.dead_letter',
    'another payload under a known identity',
  ],
  [
    'a letter is dead that nobody sent so',
    `update ingestion.dead_letter set event_id = 'http-9'`,
    'nothing was parked and no letter is dead',
  ],
  ['a lot is larger than it was', 'update ledger.lot set remaining = 11', 'no floor is broken'],
  ['a debt stays beside credit', 'update ledger.wallet set debt = 1', 'no debt stays beside free credit'],
  [
    'a change of balance never left',
    'update ledger.wallet set revision = 3',
    'what changed a balance reached the topic',
  ],
  [
    'an event was left parked',
    `insert into ledger.parked_usage (tenant_id, customer_id, source, event_id, feature, code, occurred_at, reading, parked_at, ordinal) values ('${TENANT}', '${CUSTOMER}', 'chaos', 'http-1', 'completions', 'price_missing', '${AT}', '{}', '${AT}', 0)`,
    'nothing was parked',
  ],
];

describe('The judge of the chaos run', () => {
  let server: PostgresServer;
  let test: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    server = await startPostgres();
    test = await createTestDatabase(server, [billingProvisioning, ledgerProvisioning, ingestionProvisioning]);
  });
  afterAll(async () => {
    await test.drop();
    await server.stop();
  });
  beforeEach(async () => {
    client = new Client({ connectionString: test.url });
    await client.connect();
    await client.query('begin');
    await client.query(CLIENT_TABLES);
    await client.query(RIGHT);
    await client.query(eventOf('http-1', '1', FIRST));
  });
  afterEach(async () => {
    await client.query('rollback');
    await client.end();
  });

  it('finds nothing where nothing is wrong', async () => {
    expect(await brokenLaws(client, TENANT)).toEqual([]);
  });

  it.each([
    ['an offset goes back', 'next_offset = 4'],
    ['an epoch goes back', 'epoch = 1'],
  ])('notices when %s, also when it is put right at once', async (_what, change) => {
    await client.query(OFFSET_WATCH);
    await client.query(`insert into ledger.consumer_offset values ('g', 't', 0, 5, 2, 'a')`);
    await client.query(`update ledger.consumer_offset set next_offset = 7, epoch = 3`);
    expect(await brokenWatchLaws(client)).toEqual([]);
    await client.query(`update ledger.consumer_offset set ${change}`);
    await client.query(`update ledger.consumer_offset set next_offset = 7, epoch = 3`);
    expect((await brokenWatchLaws(client)).join()).toContain('only grow');
  });

  it.each(WRONGS)('notices when %s', async (_what, sql, law) => {
    await client.query(sql);
    expect((await brokenLaws(client, TENANT)).join('\n')).toContain(law);
  });
});
