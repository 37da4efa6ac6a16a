import { startPostgres, waitUntil } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { addMicros, formatAmount, ManualClock, MICROS } from '@tallygate/kernel';
import { createTestDatabase, PgDatabase, roleUrl, silentLog } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { Client } from 'pg';
import { ledgerProvisioning } from '../provisioning';
import { UsageGenerations } from '../service/usage-generations';
import { assembleLedger } from '../testing/ledger-under-test';
import type { LedgerUnderTest } from '../testing/ledger-under-test';
import { introduce, START, usageEvent } from '../testing/sample';
import type { SampleTenant } from '../testing/sample';
import { PgGenerationStore } from './pg-generation.store';
import type { OwnerConnection } from './pg-generation.store';

const days = (count: number) => addMicros(START, count * MICROS.day);

let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let ledger: LedgerUnderTest;
let owner: Client;
let generations: UsageGenerations;
let tenant: SampleTenant;

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
  const store = new PgGenerationStore('ledger', asOwner);
  generations = new UsageGenerations(database, store, silentLog);
  tenant = await introduce(ledger);
});
afterEach(async () => {
  await owner.end();
  await database.close();
  await test.drop();
});

async function asOwner(work: (connection: OwnerConnection) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: test.url });
  await client.connect();
  await work(client).finally(() => client.end());
}

const states = async (): Promise<string> =>
  (
    await owner.query<{ line: string }>(
      `select string_agg(generation || ' ' || state, ', ' order by generation) as line from usage_generation`,
    )
  ).rows[0]?.line ?? '';

const take = (...ids: string[]) =>
  ledger.slices.take(
    ids.map((id) => usageEvent(tenant, { id, tokens: '500' })),
    null,
  );

describe('generations of the usage record', () => {
  it('open, are looked up for another window, and are kept for good', async () => {
    await generations.maintain(days(0));
    await generations.maintain(days(0));
    expect(await states()).toBe('1 current, 2 ahead');
    await generations.maintain(days(35));
    expect(await states()).toBe('1 current, 2 ahead');
    await generations.maintain(days(36));
    expect(await states()).toBe('1 recent, 2 current');
    await generations.maintain(days(37));
    expect(await states()).toBe('1 recent, 2 current, 3 ahead');
    await generations.maintain(days(72));
    expect(await states()).toBe('1 kept, 2 recent, 3 current');
  });

  it('find what comes again in the one before, re-dated or not, and count it once', async () => {
    await generations.maintain(days(0));
    await generations.maintain(days(0));
    await take('a', 'b');
    await generations.maintain(days(36));
    expect(await states()).toBe('1 recent, 2 current');
    await expect(take('a', 'c')).resolves.toMatchObject({ accepted: 1, repeated: 1, rejected: 0 });
    const reDated = usageEvent(tenant, { id: 'b', tokens: '500', occurredAt: addMicros(START, 1) });
    await expect(ledger.slices.take([reDated], null)).resolves.toMatchObject({ accepted: 0, rejected: 1 });
    // In the current one too, where the insert finds it: then both are looked up.
    await expect(take('a', 'c', 'd')).resolves.toMatchObject({ accepted: 1, repeated: 2 });
    const { rows } = await owner.query<{ line: string }>(
      `select string_agg(event_id || generation, ' ' order by event_id) as line from usage_event`,
    );
    expect(rows[0]?.line).toBe('a1 b1 c2 d2');
  });

  it('stay behind row-level security, with the indexes, the pace of vacuums and the sample of the one before', async () => {
    await generations.maintain(days(0));
    await generations.maintain(days(0));
    const { rows } = await owner.query(
      `select c.relrowsecurity and c.relforcerowsecurity as forced, c.reloptions, (select count(*)::int from pg_index i where i.indrelid = c.oid) as indexes,
              (select count(*)::int from pg_policy p where p.polrelid = c.oid) as policies,
              (select max(a.attstattarget) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0) as sampled
         from pg_class c where c.relname in ('usage_event_1', 'usage_event_2') order by c.relname`,
    );
    expect(rows[1]).toEqual(rows[0]);
    expect(rows[0]).toMatchObject({
      reloptions: ['autovacuum_vacuum_cost_delay=10', 'autovacuum_vacuum_cost_limit=40'],
      sampled: 10,
    });
    await take('a');
    const api = new Client({ connectionString: roleUrl(test.url, test.roleSecret, 'tallygate_ledger_api') });
    await api.connect();
    for (const table of ['usage_event', 'usage_event_1', 'usage_event_2'])
      expect((await api.query(`select from ledger.${table}`)).rowCount).toBe(0);
    await api.end();
  });

  it('wait for a transaction that holds on, without making anybody else wait, and open later', async () => {
    await generations.maintain(days(0));
    await generations.maintain(days(0));
    await owner.query('begin; select from usage_generation');
    await expect(generations.maintain(days(36))).resolves.toEqual([]);
    await expect(take('a')).resolves.toMatchObject({ accepted: 1 });
    await owner.query('commit');
    await expect(generations.maintain(days(36))).resolves.toEqual(['open']);
  });

  it('attach a table that a crash left behind', async () => {
    await generations.maintain(days(0));
    await owner.query('create table usage_event_2 (like usage_event_1 including all)');
    await expect(generations.maintain(days(0))).resolves.toEqual(['create']);
    await generations.maintain(days(36));
    await expect(take('a')).resolves.toMatchObject({ accepted: 1 });
  });

  it('change under load: nothing is lost or counted twice, and no slice waits long', async () => {
    const progress = [0, 0, 0, 0];
    let running = true;
    const taken: { id: string; ms: number }[] = [];
    const load = progress.map(async (_, writer) => {
      for (let slice = 0; running; slice += 1) {
        // Half of what each slice brings the other writers bring too, sooner or later.
        const ids = Array.from({ length: 40 }, (__, i) => `${i % 2 === 0 ? 'all' : writer}-${slice}-${i}`);
        const begun = performance.now();
        await take(...ids);
        for (const id of ids) taken.push({ id, ms: performance.now() - begun });
        progress[writer] = slice + 1;
      }
    });
    await generations.maintain(days(0));
    for (let day = 36; day <= 216; day += 36) {
      await generations.maintain(days(day - 36));
      const opened = async (): Promise<boolean> => (await generations.maintain(days(day))).includes('open');
      expect(await waitUntil(opened, 60_000)).toBe(true);
      // More than a window passes at once: what was sent before must have come from everybody until the next one.
      const sent = Math.max(...progress);
      expect(await waitUntil(() => Math.min(...progress) > sent, 60_000)).toBe(true);
    }
    running = false;
    await Promise.all(load);
    const distinct = new Set(taken.map(({ id }) => id)).size;
    const { rows } = await owner.query<{ events: number; ids: number; generations: number; debt: string }>(
      `select count(*)::int as events, count(distinct event_id)::int as ids, count(distinct generation)::int as generations,
              (select sum(debt)::text from wallet) as debt from usage_event`,
    );
    expect(rows[0]).toMatchObject({ events: distinct, ids: distinct });
    expect(rows[0]?.generations).toBeGreaterThan(3);
    expect(Number(rows[0]?.debt)).toBe(Number(formatAmount(BigInt(distinct) * 1_000_000_000n)));
    expect(Math.max(...taken.map(({ ms }) => ms))).toBeLessThan(5_000);
  });
});
