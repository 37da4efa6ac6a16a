import { randomUUID } from 'node:crypto';
import type { MeteredEvent } from '@tallygate/contracts';
import { ManualClock } from '@tallygate/kernel';
import { createTestDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { formatAmount, parseAmount } from '@tallygate/kernel';
import { ledgerProvisioning } from '../provisioning';
import type { SlicePosition } from '../service/usage-store';
import { FailingDatabase } from '../testing/failing-database';
import { assembleLedger } from '../testing/ledger-under-test';
import type { LedgerUnderTest } from '../testing/ledger-under-test';
import { hours, introduce, START, usageEvent } from '../testing/sample';
import type { SampleTenant } from '../testing/sample';

let server: PostgresServer;
let test: TestDatabase;
let database: FailingDatabase;
let ledger: LedgerUnderTest;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
});
afterAll(() => server.stop());

beforeEach(async () => {
  test = await createTestDatabase(server, [ledgerProvisioning]);
  database = new FailingDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
  ledger = assembleLedger(database, new ManualClock(START));
});
afterEach(async () => {
  await database.close();
  await test.drop();
});

async function grant(of: SampleTenant, key: string, amount: string, fields = {}): Promise<void> {
  const parsed = parseAmount(amount);
  if (!parsed.ok) throw new TypeError(amount);
  const request = {
    ...of,
    unit: 'USD',
    key,
    source: 'api',
    amount: parsed.value,
    kind: 'promotional' as const,
    priority: 100,
    effectiveAt: null,
    expiresAt: null,
    features: null,
    recurrence: null,
    rollover: null,
    ...fields,
  };
  const now = await ledger.time.now(of.tenantId);
  const outcome = await database.asTenant(of.tenantId, (tx) => ledger.grants.grant(tx, request, now));
  expect(outcome.status).toBe('granted');
}

async function wallet(of: SampleTenant) {
  const { rows } = await database.asTenant(of.tenantId, (tx) =>
    tx.query<{ free: string; held: string; debt: string; version: bigint }>(
      'select free::text, held::text, debt::text, version from wallet where customer_id = $1',
      [of.customerId],
    ),
  );
  return rows[0] && { free: +rows[0].free, held: +rows[0].held, debt: +rows[0].debt };
}

async function facts(type: string): Promise<Record<string, unknown>[]> {
  const { rows } = await database.asWorker((tx) =>
    tx.query<{ event: { type: string; data: Record<string, unknown> } }>(
      `select convert_from(value, 'UTF8')::jsonb as event from outbox order by id`,
    ),
  );
  return rows
    .map((row) => row.event)
    .filter((event) => event.type === type)
    .map((event) => event.data);
}

const byVersion = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
  Number(a['version']) - Number(b['version']);

describe('a slice of usage', () => {
  it('debits each event once, whatever is repeated, and reports a conflict', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '10');
    const first = usageEvent(of, { id: 'a', tokens: '500' });
    await expect(
      ledger.slices.take([first, usageEvent(of, { id: 'b', tokens: '100' })], null),
    ).resolves.toEqual({
      status: 'applied',
      accepted: 2,
      repeated: 0,
      rejected: 0,
    });
    const conflict = usageEvent(of, { id: 'a', tokens: '501' });
    await expect(
      ledger.slices.take([first, conflict, usageEvent(of, { id: 'c', tokens: '50' })], null),
    ).resolves.toEqual({ status: 'applied', accepted: 1, repeated: 1, rejected: 1 });
    expect(await wallet(of)).toEqual({ free: 8.7, held: 0, debt: 0 });
    expect(await facts('usage.rejected')).toMatchObject([{ id: 'a', code: 'identity_conflict' }]);
  });

  it('publishes at once when credit runs out, and gathers what flips nothing', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '1');
    await ledger.slices.take([usageEvent(of, { tokens: '400' })], null);
    expect(await facts('balance.changed')).toHaveLength(1);
    await ledger.slices.take([usageEvent(of, { tokens: '100' })], null);
    expect((await facts('balance.changed')).at(-1)).toMatchObject({
      debt: '0',
      segments: [{ available: '0', expired: false }],
    });
    await ledger.slices.take([usageEvent(of, { tokens: '100' })], null);
    expect((await facts('balance.changed')).at(-1)).toMatchObject({ debt: '0.2' });
    expect(await wallet(of)).toEqual({ free: 0, held: 0, debt: 0.2 });
    await grant(of, 'g2', '1');
    expect(await wallet(of)).toEqual({ free: 0.8, held: 0, debt: 0 });
  });

  it('tells with a slice what has waited, once, wherever the slice before it was cut off', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '1');
    await grant(of, 'ends', '1', { expiresAt: hours(500) });
    const tokens = (count: string) => ledger.slices.take([usageEvent(of, { tokens: count })], null);
    const told = async (type: string) => (await facts(type)).length;
    await tokens('100');
    const before = [await told('balance.changed'), await told('lot.changed')] as const;
    await tokens('1');
    expect([await told('balance.changed'), await told('lot.changed')]).toEqual(before.map((n) => n + 1));
    await expect(ledger.feed.flush(null)).resolves.toBe(0);
    const other = await introduce(ledger);
    await grant(other, 'g1', '1');
    const otherTokens = (count: string) => ledger.slices.take([usageEvent(other, { tokens: count })], null);
    await otherTokens('100');
    let cuts = 0;
    for (let taken = false; !taken; cuts += 1) {
      database.statementsLeft = cuts;
      taken = await otherTokens('1').then(
        () => true,
        () => false,
      );
    }
    database.statementsLeft = null;
    expect(cuts).toBeGreaterThan(10);
    expect(await told('balance.changed')).toBe(before[0] + 3);
    await expect(ledger.feed.flush(null)).resolves.toBe(0);
  });

  it('publishes what a process had gathered when it died, once another one starts', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '1');
    await ledger.slices.take([usageEvent(of, { tokens: '100' })], null);
    const successor = assembleLedger(database, new ManualClock(START));
    await successor.feed.recover();
    await expect(successor.feed.flush(null)).resolves.toBe(1);
    await expect(ledger.feed.flush(null)).resolves.toBe(0);
    expect((await facts('balance.changed')).map((one) => one['segments'])).toMatchObject([
      [{ available: '1' }],
      [{ available: '0.8' }],
    ]);
  });

  it('publishes without delay what is news, and the rest once it waited or the clock settles', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '1');
    const tokens = (count: string) => ledger.slices.take([usageEvent(of, { tokens: count })], null);
    const available = async () =>
      (await facts('balance.changed')).map(
        (one) => (one['segments'] as { available: string }[])[0]?.available,
      );
    await tokens('10');
    await expect(ledger.feed.flush(null)).resolves.toBe(0);
    await tokens('1');
    await expect(ledger.feed.flush(null)).resolves.toBe(1);
    await tokens('9');
    await expect(ledger.feed.flush(null)).resolves.toBe(0);
    await tokens('1');
    await expect(ledger.feed.flush(null)).resolves.toBe(1);
    await tokens('1');
    await expect(ledger.feed.flush(null)).resolves.toBe(0);
    await expect(ledger.feed.flush(of.tenantId)).resolves.toBe(1);
    expect(await available()).toEqual(['1', '0.978', '0.958', '0.956']);
    await tokens('100');
    await tokens('100');
    expect(await available()).toHaveLength(4);
  });

  it('knows what another process told of a wallet', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '1');
    await grant(of, 'only-completions', '1', { features: ['completions'] });
    const other = assembleLedger(database, new ManualClock(START));
    const tokens = (count: string) => other.slices.take([usageEvent(of, { tokens: count })], null);
    await tokens('9');
    await expect(other.feed.flush(null)).resolves.toBe(0);
    await tokens('2');
    await expect(other.feed.flush(null)).resolves.toBe(1);
    await expect(ledger.feed.flush(of.tenantId)).resolves.toBe(0);
  });

  it('knows what another process told of a quota', async () => {
    const of = await introduce(ledger, { plan: 'monthly' });
    const calls = (by: LedgerUnderTest, quantity: string) => {
      const readings = [{ meter: 'calls', quantity, group: {}, features: ['calls'] }];
      return by.slices.take([{ ...usageEvent(of), readings }], null);
    };
    await calls(ledger, '0.5');
    await expect(ledger.feed.flush(null)).resolves.toBe(1);
    const other = assembleLedger(database, new ManualClock(START));
    await calls(other, '0.04');
    await expect(other.feed.flush(null)).resolves.toBe(0);
    await calls(other, '0.02');
    await expect(other.feed.flush(null)).resolves.toBe(1);
    expect((await facts('quota.changed')).at(-1)).toMatchObject({ used: '0.56' });
  });

  it('tells what a process left behind no faster than gates can hear it, most moved first', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '1');
    await database.asWorker((tx) =>
      tx.query(
        `insert into wallet (tenant_id, customer_id, unit, revision, published_revision, free, told)
         select $1, gen_random_uuid(), 'USD', 2, 1, 99 - n, 100 from generate_series(1, 700) as n`,
        [of.tenantId],
      ),
    );
    const successor = assembleLedger(database, new ManualClock(START));
    await successor.feed.recover();
    await expect(successor.feed.flush(null)).resolves.toBe(500);
    const { rows } = await database.asWorker((tx) =>
      tx.query<{ least: string }>(
        'select max(free)::text as least from wallet where revision = 2 and published_revision = 2',
      ),
    );
    expect(Number(rows[0]?.least)).toBe(99 - 201);
    const later = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_000);
    await expect(successor.feed.flush(null)).resolves.toBe(200);
    later.mockRestore();
  });

  it('counts a quota, tells when it is used up, and splits an event between quota and credit', async () => {
    const of = await introduce(ledger, { plan: 'monthly' });
    const calls = (count: number) => Array.from({ length: count }, () => usageEvent(of));
    await ledger.slices.take(calls(2), null);
    expect(await facts('quota.changed')).toMatchObject([{ used: '0', included: '3' }]);
    await ledger.slices.take(calls(2), null);
    expect((await facts('quota.changed')).at(-1)).toMatchObject({ used: '4', included: '3' });
    const versions = (await facts('quota.changed')).map((one) => Number(one['version']));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(await wallet(of)).toBeUndefined();

    const both = await introduce(ledger, { plan: 'both' });
    await grant(both, 'g1', '10');
    const event = usageEvent(both);
    const reading = { meter: 'calls', quantity: '5', group: {}, features: ['mixed'] };
    await ledger.slices.take([{ ...event, readings: [reading] }], null);
    expect(await wallet(both)).toEqual({ free: 8.5, held: 0, debt: 0 });
  });

  it('begins a quota anew by its clock and by a call, and takes later usage along', async () => {
    const of = await introduce(ledger, { plan: 'monthly' });
    const use = (at: number) => ledger.slices.take([usageEvent(of, { occurredAt: hours(at) })], null);
    const reset = (fields: { at?: number; keepAnchor?: boolean; keepOverage?: boolean }) =>
      database.asTenant(of.tenantId, async (tx) =>
        ledger.quotas.reset(
          tx,
          {
            ...of,
            feature: 'calls',
            at: fields.at === undefined ? null : hours(fields.at),
            keepAnchor: fields.keepAnchor ?? false,
            keepOverage: fields.keepOverage ?? false,
          },
          await ledger.time.now(of.tenantId),
        ),
      );
    await ledger.time.set(of.tenantId, hours(10));
    for (const at of [1, 2, 3, 4, 8, 9]) await use(at);
    await expect(reset({ at: 11 })).resolves.toEqual({ status: 'in_future' });
    await expect(reset({ at: 8, keepOverage: true })).resolves.toMatchObject({
      counter: { used: 3_000_000_000n, periodStart: hours(8), periodEnd: hours(8 + 31 * 24) },
    });
    await expect(reset({ at: 8 })).resolves.toEqual({ status: 'reset_before' });
    await expect(reset({ at: 7 })).resolves.toEqual({ status: 'before_period' });
    await use(5);
    await use(9);
    const newest = async () => (await facts('quota.changed')).sort(byVersion).at(-1);
    expect(await newest()).toMatchObject({ used: '3', included: '3' });
    await ledger.feed.flush(of.tenantId);
    expect(await newest()).toMatchObject({
      used: '4',
      periodStart: '2026-03-01T08:00:00Z',
    });
    const due = await ledger.sweeper.nextDue(of.tenantId, hours(10));
    expect(due).toBe(hours(31 * 24));
    await ledger.time.set(of.tenantId, hours(8 + 31 * 24));
    await ledger.sweeper.sweep(of.tenantId, START);
    expect(await newest()).toMatchObject({
      used: '0',
      periodStart: '2026-04-01T08:00:00Z',
    });
  });

  it('moves nothing when it is taken again at a stored offset, or by an owner that lost the partition', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '10');
    const take = (epoch: bigint, first: bigint, next: bigint, end?: bigint) =>
      ledger.slices.take([usageEvent(of, { tokens: '500' })], {
        topic: 'usage.metered',
        partition: 0,
        first,
        next,
        epoch,
        ...(end !== undefined && { end }),
      });
    const takeOver = (owner: string) =>
      database.asWorker((tx) => ledger.usage.takeOver(tx, 'usage.metered', 0, owner));
    await expect(take(1n, 0n, 1n)).resolves.toEqual({ status: 'fenced' });
    await expect(takeOver('one')).resolves.toEqual({ epoch: 1n, next: null });
    await expect(take(1n, 0n, 1n)).resolves.toMatchObject({ status: 'applied' });
    await expect(take(1n, 0n, 1n)).resolves.toEqual({ status: 'already_taken' });
    await expect(take(1n, 5n, 6n)).resolves.toEqual({ status: 'gap', stored: 1n, first: 5n });
    await expect(takeOver('one')).resolves.toEqual({ epoch: 1n, next: 1n });
    await expect(takeOver('two')).resolves.toEqual({ epoch: 2n, next: 1n });
    await expect(take(1n, 1n, 2n)).resolves.toEqual({ status: 'fenced' });
    await expect(take(2n, 1n, 2n)).resolves.toMatchObject({ status: 'applied' });
    // It lost the partition meanwhile and has it again: what it began before stays fenced.
    await expect(takeOver('one')).resolves.toEqual({ epoch: 3n, next: 2n });
    await expect(take(1n, 2n, 3n)).resolves.toEqual({ status: 'fenced' });
    // A log that ends before what was taken is another log.
    await expect(take(3n, 0n, 1n, 1n)).resolves.toEqual({ status: 'gap', stored: 2n, first: 0n });
    expect(await wallet(of)).toEqual({ free: 8, held: 0, debt: 0 });
  });

  it('takes slices of several partitions together, and judges each for itself', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '10');
    const partitions = [0, 1, 2, 3];
    for (const partition of partitions)
      await database.asWorker((tx) => ledger.usage.takeOver(tx, 'together', partition, 'one'));
    const repeated = usageEvent(of, { id: 'again', tokens: '500' });
    const part = (partition: number, events: MeteredEvent[], more: Partial<SlicePosition> = {}) => ({
      events,
      position: { topic: 'together', partition, first: 0n, next: 1n, epoch: 1n, ...more },
    });
    const outcomes = await ledger.slices.takeTogether([
      part(3, [repeated, usageEvent(of, { tokens: '500' })]),
      part(1, [usageEvent(of, { tokens: '500' })], { first: 5n, next: 6n }),
      part(2, [usageEvent(of, { tokens: '500' })], { epoch: 9n }),
      part(0, [repeated, { ...repeated, payloadHash: '0'.repeat(32) }]),
    ]);
    expect(outcomes).toEqual([
      { status: 'applied', accepted: 2, repeated: 0, rejected: 0 },
      { status: 'gap', stored: 0n, first: 5n },
      { status: 'fenced' },
      { status: 'applied', accepted: 0, repeated: 1, rejected: 1 },
    ]);
    expect(await wallet(of)).toEqual({ free: 8, held: 0, debt: 0 });
    const { rows } = await database.asWorker((tx) =>
      tx.query(
        `select partition, next_offset from consumer_offset where topic = 'together' order by partition`,
      ),
    );
    expect(rows).toEqual([1n, -1n, -1n, 1n].map((next, partition) => ({ partition, next_offset: next })));
  });

  it('stops at a log whose beginning was lost before anything of it was taken', async () => {
    const of = await introduce(ledger);
    await database.asWorker((tx) => ledger.usage.takeOver(tx, 'late', 0, 'one'));
    const position = { topic: 'late', partition: 0, first: 7n, next: 8n, epoch: 1n };
    const taken = ledger.slices.take([usageEvent(of, { tokens: '500' })], position);
    await expect(taken).resolves.toEqual({ status: 'gap', stored: 0n, first: 7n });
  });

  it('lets late usage draw on a lot that has ended, until the expiry is posted at its instant', async () => {
    const of = await introduce(ledger);
    await grant(of, 'g1', '10', { expiresAt: hours(2) });
    await ledger.time.set(of.tenantId, hours(2.5));
    await ledger.slices.take([usageEvent(of, { tokens: '500', occurredAt: hours(1) })], null);
    expect(await wallet(of)).toEqual({ free: 9, held: 0, debt: 0 });
    expect(await ledger.sweeper.nextDue(of.tenantId, hours(2.5))).toBe(hours(3));
    await ledger.time.set(of.tenantId, hours(3));
    await expect(ledger.sweeper.sweep(of.tenantId, START)).resolves.toBe(1);
    await expect(ledger.sweeper.sweep(of.tenantId, START)).resolves.toBe(0);
    expect(await wallet(of)).toEqual({ free: 0, held: 0, debt: 0 });
    await ledger.slices.take([usageEvent(of, { tokens: '500', occurredAt: hours(1) })], null);
    expect(await wallet(of)).toEqual({ free: 0, held: 0, debt: 1 });
  });

  it('neither loses nor doubles anything under concurrent slices, grants and sweeps', async () => {
    const of = await introduce(ledger);
    const customers = Array.from({ length: 8 }, () => ({ tenantId: of.tenantId, customerId: randomUUID() }));
    const { addCustomer } = await import('../testing/sample');
    for (const customer of customers) await addCustomer(ledger, customer, 'payg', START);
    const slices = Array.from({ length: 12 }, (_, i) =>
      customers
        .map((customer, c) => usageEvent(customer, { tokens: String(100 + i + c) }))
        .sort(() => (i % 2 === 0 ? 1 : -1)),
    );
    await Promise.all([
      ...slices.map((slice) => ledger.slices.take(slice, null)),
      ...customers.map((customer, i) => grant(customer, `g-${i}`, '2')),
      ledger.sweeper.sweep(of.tenantId, START),
      ledger.feed.flush(of.tenantId),
    ]);
    for (const [c, customer] of customers.entries()) {
      const used = slices.reduce((sum, _, i) => sum + (100 + i + c) * 2, 0) / 1000;
      const { free, debt } = (await wallet(customer)) ?? { free: 0, debt: 0 };
      expect(formatAmount(BigInt(Math.round((free - debt) * 1e9)))).toBe(
        formatAmount(BigInt(Math.round((2 - used) * 1e9))),
      );
    }
  });
});
