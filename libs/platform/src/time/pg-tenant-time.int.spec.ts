import { addMicros, instant, ManualClock, MICROS } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { PgDatabase } from '../postgres/pg-database';
import { createTestDatabase } from '../testing';
import { Activity } from './activity';
import { PgTenantTime } from './pg-tenant-time';

const LIVE = '00000000-0000-7000-8000-00000000000a';
const TEST = '00000000-0000-7000-8000-00000000000b';
const T0 = instant(1_800_000_000_000_001);
const SYSTEM = instant(1_900_000_000_000_000);

let server: PostgresServer;
let database: PgDatabase;
const clock = new ManualClock(SYSTEM);

beforeAll(async () => {
  server = await startPostgres();
  const target = await createTestDatabase(server, [{ schema: 'ledger', migrations: [] }]);
  database = new PgDatabase({ url: target.url, schema: 'ledger', roleSecret: target.roleSecret });
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

describe("a tenant's time", () => {
  it('is the system clock for a live tenant, remembered or not', async () => {
    const time = new PgTenantTime(database, clock);
    expect(await time.now(LIVE)).toBe(SYSTEM);
    clock.advance(MICROS.hour);
    expect(await time.now(LIVE)).toBe(addMicros(SYSTEM, MICROS.hour));
    clock.set(SYSTEM);
    expect(time.isVirtual(LIVE)).toBe(false);
  });

  it('is the virtual clock once one is set, to the microsecond, in every process of the service', async () => {
    const [here, there] = [new PgTenantTime(database, clock), new PgTenantTime(database, clock)];
    await here.now(TEST);
    await here.set(TEST, T0);
    expect(await here.now(TEST)).toBe(T0);
    expect(await there.now(TEST)).toBe(T0);
    await there.set(TEST, addMicros(T0, 1));
    expect(await here.now(TEST)).toBe(addMicros(T0, 1));
  });

  it('never goes back', async () => {
    const time = new PgTenantTime(database, clock);
    await time.set(TEST, addMicros(T0, MICROS.day));
    await time.set(TEST, T0);
    expect(await time.now(TEST)).toBe(addMicros(T0, MICROS.day));
  });

  it('is read and set on the connection of a transaction that is open', async () => {
    const time = new PgTenantTime(database, clock);
    const other = '00000000-0000-7000-8000-00000000000c';
    const all = Array.from({ length: 40 }, (_, index) =>
      database.asWorker(async (tx) => {
        await tx.query('select pg_advisory_xact_lock(7)');
        await time.set(other, addMicros(T0, index), tx);
        return time.now(other, tx);
      }),
    );
    expect((await Promise.all(all)).at(-1)).toBe(addMicros(T0, 39));
  });

  it('answers for several tenants at once', async () => {
    const time = new PgTenantTime(database, clock);
    await time.set(TEST, addMicros(T0, MICROS.day));
    expect(await time.nowOf([TEST, LIVE, TEST])).toEqual(
      new Map([
        [TEST, addMicros(T0, MICROS.day)],
        [LIVE, SYSTEM],
      ]),
    );
    expect(await time.nowOf([])).toEqual(new Map());
  });
});

describe('activity', () => {
  it('counts tenants with a virtual clock and no others', () => {
    const activity = new Activity((tenantId) => tenantId === TEST);
    for (const tenantId of [TEST, LIVE, TEST]) activity.touched(tenantId);
    expect([activity.of(TEST), activity.of(LIVE)]).toEqual([2, 0]);
  });
});
