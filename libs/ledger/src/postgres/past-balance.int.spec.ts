import { ManualClock, MICROS } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase, PgDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { ledgerProvisioning } from '../provisioning';
import { assembleLedger } from '../testing/ledger-under-test';
import type { LedgerUnderTest } from '../testing/ledger-under-test';
import { correctionOf, hours, introduce, START, usageEvent } from '../testing/sample';
import type { SampleTenant } from '../testing/sample';
import { PgWalletReadings } from './pg-wallet-readings';

let server: PostgresServer;
let test: TestDatabase;
let database: PgDatabase;
let ledger: LedgerUnderTest;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  test = await createTestDatabase(server, [ledgerProvisioning]);
  database = new PgDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
  ledger = assembleLedger(database, new ManualClock(START));
});
afterAll(async () => {
  await database.close();
  await test.drop();
  await server.stop();
});

async function grant(of: SampleTenant, key: string, amount: bigint, at: Instant, end: Instant | null) {
  const request = {
    ...of,
    unit: 'USD',
    key: `${key}-${of.customerId}`,
    source: 'api',
    amount: amount * 1_000_000_000n,
    kind: 'promotional' as const,
    priority: 100,
    effectiveAt: null,
    expiresAt: end,
    features: null,
    recurrence: null,
    rollover: null,
  };
  await database.asWorker((tx) => ledger.grants.grant(tx, request, at));
}

async function walletId({ customerId }: SampleTenant): Promise<bigint> {
  const { rows } = await database.asWorker((tx) =>
    tx.query<{ id: bigint }>('select id from wallet where customer_id = $1', [customerId]),
  );
  return rows[0]?.id ?? 0n;
}

describe('a past balance', () => {
  it('is the same whether checkpoints are there or not, by effect and as known then', async () => {
    const of = await introduce(ledger, { now: hours(0) });
    const events = [];
    for (let hour = 0; hour < 1_300; hour += 1) {
      await ledger.time.set(of.tenantId, hours(hour));
      if (hour % 100 === 0) await grant(of, `g${hour}`, 40n, hours(hour), hours(hour + 90));
      const late = hour % 7 === 0 ? Math.max(0, hour - 30) : hour;
      const event = usageEvent(of, { tokens: String(100 + (hour % 9) * 10), occurredAt: hours(late) });
      events.push(event);
      await ledger.slices.take([event], null);
      const wrong = events[hour - 50];
      if (hour % 11 === 0 && wrong !== undefined) await ledger.slices.take([correctionOf(wrong, null)], null);
    }
    const wallet = await walletId(of);
    const readings = new PgWalletReadings(ledger.wallets);
    const asked: [Instant, Instant][] = [0, 3, 29, 77.5, 400, 512, 800.25, 1_298].flatMap((at) =>
      [at, at + 20, 1_300].map((known): [Instant, Instant] => [hours(at), hours(known)]),
    );
    const ask = () =>
      database.asWorker(async (tx) => {
        const found = [];
        for (const [at, known] of asked) found.push(await readings.past(tx, wallet, at, known));
        for (const [from, to] of asked) found.push(await readings.statement(tx, wallet, from, to));
        return found;
      });
    const plain = await ask();
    let written = 0;
    for (let did = await ledger.checkpoints.write(); did > 0; did = await ledger.checkpoints.write())
      written += did;
    expect(written).toBeGreaterThan(2);
    expect(await ask()).toEqual(plain);
    const now = await database.asWorker((tx) => readings.now(tx, wallet, hours(1_299)));
    const past = await database.asWorker((tx) => readings.past(tx, wallet, hours(1_299), hours(1_299)));
    expect(past).toEqual(now);
  });

  it('of an event whose debt was repaid and given back is what it would have been without the event', async () => {
    const of = await introduce(ledger, { now: hours(0) });
    const event = usageEvent(of, { tokens: '1000', occurredAt: hours(1) });
    await ledger.time.set(of.tenantId, hours(1));
    await ledger.slices.take([event], null);
    await grant(of, 'g', 5n, hours(3), null);
    await ledger.time.set(of.tenantId, hours(5));
    await ledger.slices.take([correctionOf(event, null)], null);
    const wallet = await walletId(of);
    const readings = new PgWalletReadings(ledger.wallets);
    const at = (hour: number, known: number) =>
      database.asWorker(async (tx) => {
        const { available, debt } = await readings.past(tx, wallet, hours(hour), hours(known));
        return [
          Number(available / BigInt(MICROS.second)) / 1_000,
          Number(debt / BigInt(MICROS.second)) / 1_000,
        ];
      });
    expect(await at(2, 2)).toEqual([-2, 2]);
    expect(await at(2, 5)).toEqual([0, 0]);
    expect(await at(4, 4)).toEqual([3, 0]);
    expect(await at(4, 5)).toEqual([5, 0]);
  });
});
