import { randomUUID } from 'node:crypto';
import { addMicros, instant, MICROS } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { usageIdentity } from '@tallygate/contracts';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase, PgDatabase, pgInstant, provisionSchema } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { ingestionProvisioning } from '../ingestion.module';
import type { Claim } from '../service/ports';
import { PgEventRegistry } from './pg-event-registry';

const NOON = instant(1_772_366_400_000_000);
const hours = (count: number): Instant => addMicros(NOON, count * MICROS.hour);

const [A, B, C, Z] = ['a', 'b', 'c', 'f'].map((digit) => digit.repeat(32)) as [
  string,
  string,
  string,
  string,
];

let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let registry: PgEventRegistry;
let live: string;
/** Its clock stands an hour behind noon. */
let behind: string;
/** An hour before noon. */
let ahead: string;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  test = await createTestDatabase(server, [ingestionProvisioning]);
  database = new PgDatabase({ url: test.url, schema: 'ingestion', roleSecret: test.roleSecret });
  registry = new PgEventRegistry(database);
});
afterAll(async () => {
  await database.close();
  await test.drop();
  await server.stop();
});

beforeEach(async () => {
  [live, behind, ahead] = [randomUUID(), randomUUID(), randomUUID()];
  await database.asWorker(async (tx) => {
    await tx.query('delete from received_event');
    await tx.query('delete from tenant_clock');
    await tx.query('insert into tenant_clock (tenant_id, now) values ($1, $2), ($3, $4)', [
      behind,
      pgInstant(hours(-1)),
      ahead,
      pgInstant(hours(1)),
    ]);
  });
});

type Sent = Partial<Claim> & { readonly source?: string; readonly id?: string };

function claimOf(tenantId: string, { source = 's', id = 'e1', ...fields }: Sent = {}): Claim {
  return {
    identity: usageIdentity(tenantId, source, id),
    tenantId,
    payloadHash: A,
    occurredAt: NOON,
    keepUntil: NOON,
    ...fields,
  };
}

async function kept(): Promise<readonly string[]> {
  const { rows } = await database.asWorker((tx) =>
    tx.query<{ identity: string }>('select identity from received_event'),
  );
  const names = new Map<string, string>();
  for (const [tenantId, name] of Object.entries({ [live]: 'live', [behind]: 'behind', [ahead]: 'ahead' }))
    for (let place = 0; place < 5; place += 1)
      names.set(usageIdentity(tenantId, 's', `e${place}`), `${name} e${place}`);
  return rows.map(({ identity }) => names.get(identity.replaceAll('-', '')) ?? identity).sort();
}

describe('the registry of what came over HTTP', () => {
  it('claims for many tenants at once, each identity once, the first payload winning', async () => {
    const outcomes = await registry.claim([
      claimOf(live),
      claimOf(ahead, { payloadHash: B }),
      claimOf(live, { payloadHash: C, occurredAt: hours(1) }),
      claimOf(live, { source: 't' }),
    ]);
    expect(outcomes).toEqual([
      { kind: 'claimed' },
      { kind: 'claimed' },
      { kind: 'known', payloadHash: A, occurredAt: NOON },
      { kind: 'claimed' },
    ]);
  });

  it('says what was known before, among what is new, and with what it came', async () => {
    await registry.claim([claimOf(live), claimOf(ahead)]);
    const again = { payloadHash: Z, occurredAt: hours(2) };
    const outcomes = await registry.claim([
      claimOf(live, again),
      claimOf(live, { ...again, id: 'e2' }),
      claimOf(behind, again),
      claimOf(ahead, again),
    ]);
    const before = { kind: 'known', payloadHash: A, occurredAt: NOON };
    expect(outcomes).toEqual([before, { kind: 'claimed' }, { kind: 'claimed' }, before]);
    expect(await registry.claim([])).toEqual([]);
  });

  it('forgets each tenant’s by its own clock, the end still kept', async () => {
    const ends = [hours(-2), hours(-1), NOON, hours(1), addMicros(hours(1), 1)];
    const claims = [live, behind, ahead].flatMap((tenant) =>
      ends.map((keepUntil, place) => claimOf(tenant, { id: `e${place}`, keepUntil })),
    );
    await registry.claim(claims);
    expect(await registry.forget(ahead, NOON)).toBe(3);
    expect(await registry.forget(null, NOON)).toBe(3);
    expect(await kept()).toEqual([
      'ahead e3',
      'ahead e4',
      'behind e1',
      'behind e2',
      'behind e3',
      'behind e4',
      'live e2',
      'live e3',
      'live e4',
    ]);
    expect(await registry.forget(live, hours(9))).toBe(0);
  });

  it('knows what was remembered before identities had their names', async () => {
    const before = {
      ...ingestionProvisioning,
      migrations: ingestionProvisioning.migrations.slice(0, 2),
    };
    const old = await createTestDatabase(server, [before]);
    const open = { url: old.url, schema: 'ingestion', roleSecret: old.roleSecret };
    const upgraded = new PgDatabase(open);
    const [source, id] = ['ü🌍', 'e:1'];
    await upgraded.asWorker((tx) =>
      tx.query(
        `insert into received_event (tenant_id, source, event_id, payload_hash, occurred_at, received_at, keep_until)
         values ($1, $2, $3, $4, $5, $5, $5)`,
        [live, source, id, A, pgInstant(NOON)],
      ),
    );
    await provisionSchema({ ...ingestionProvisioning, ownerUrl: old.url, roleSecret: old.roleSecret });
    const claim = claimOf(live, { source, id, payloadHash: B, occurredAt: hours(1) });
    expect(await new PgEventRegistry(upgraded).claim([claim])).toEqual([
      { kind: 'known', payloadHash: A, occurredAt: NOON },
    ]);
    await upgraded.close();
    await old.drop();
  });
});
