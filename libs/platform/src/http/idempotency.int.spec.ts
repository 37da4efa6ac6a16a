import { addMicros, instant, MICROS } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { PgDatabase } from '../postgres/pg-database';
import { createTestDatabase } from '../testing';
import { forgetOldKeys, replayOrRun } from './idempotency';
import type { Answer } from './idempotency';

const ONE = '00000000-0000-7000-8000-000000000001';
const TWO = '00000000-0000-7000-8000-000000000002';
const NOW = instant(1_800_000_000_000_000);

let server: PostgresServer;
let database: PgDatabase;

beforeAll(async () => {
  server = await startPostgres();
  const target = await createTestDatabase(server, [{ schema: 'ledger', migrations: [] }]);
  database = new PgDatabase({ url: target.url, schema: 'ledger', roleSecret: target.roleSecret });
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

let runs = 0;
let keys = 0;
beforeEach(() => {
  runs = 0;
  keys += 1;
});

interface Given {
  readonly tenantId?: string;
  readonly route?: string;
  readonly bodyHash?: string;
  readonly now?: typeof NOW;
}

function request(
  given: Given = {},
  run: () => Promise<Answer> = async () => ({ status: 201, body: { id: 'x', n: (runs += 1) } }),
) {
  const { tenantId = ONE, route = 'POST /v1/grants', bodyHash = 'hash', now = NOW } = given;
  return database.asTenant(tenantId, (tx) =>
    replayOrRun(tx, { tenantId, key: `key-${keys}`, route, bodyHash, now }, run),
  );
}

describe('an idempotency key', () => {
  it('replays the first answer to the same request', async () => {
    const first = await request();
    expect(await request()).toEqual(first);
    expect(await request({ now: addMicros(NOW, 30 * MICROS.day) })).toEqual(first);
    expect(runs).toBe(1);
  });

  it.each([
    ['another body', { bodyHash: 'other' }],
    ['another route', { route: 'POST /v1/holds' }],
  ])('is refused for %s', async (_, given) => {
    await request();
    await expect(request(given)).rejects.toMatchObject({
      problem: { status: 422, code: 'idempotency_key_reused' },
    });
    expect(runs).toBe(1);
  });

  it('belongs to its tenant', async () => {
    await request();
    await request({ tenantId: TWO, bodyHash: 'other' });
    expect(runs).toBe(2);
  });

  it('is free again when the request that claimed it failed', async () => {
    await expect(
      request({}, async () => Promise.reject(new Error('the database went away'))),
    ).rejects.toThrow('went away');
    await request();
    expect(runs).toBe(1);
  });

  it('runs once when the same request comes many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => request()));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(runs).toBe(1);
  });

  it('replays an answer without a body', async () => {
    await request({}, async () => ({ status: 204, body: undefined }));
    expect(await request()).toEqual({ status: 204, body: null });
  });

  it.each([
    [35, 1],
    [37, 2],
  ])('after %d days has run %d time(s)', async (days, expected) => {
    await request();
    const later = addMicros(NOW, days * MICROS.day);
    await database.asWorker((tx) => forgetOldKeys(tx, later));
    await request({ now: later });
    expect(runs).toBe(expected);
  });
});
