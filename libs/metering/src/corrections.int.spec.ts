import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase, InProcessEventBus } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { ingestionProvisioning } from './ingestion.module';
import { ACME, IngestionRig, instantAt, START } from './testing/ingestion-rig.fixture';

let server: PostgresServer;
let database: TestDatabase;
let bus: InProcessEventBus;
let rig: IngestionRig;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
});
afterAll(() => server?.stop());

beforeEach(async () => {
  database = await createTestDatabase(server, [ingestionProvisioning]);
  bus = new InProcessEventBus();
  rig = await IngestionRig.start(database, bus);
  await rig.tenant();
  await rig.catalog({
    meters: [{ key: 'tokens', event_type: 'llm', aggregation: 'sum', value: '$.tokens' }],
    features: [{ key: 'completions', kind: 'prepaid', meter: 'tokens', price: 'p' }],
  });
  await rig.customer({ key: 'acme' });
  await rig.settle();
});
afterEach(async () => {
  await rig?.stop();
  await bus?.close();
  await database?.drop();
});

const event = (changes: object = {}) => ({
  specversion: '1.0',
  id: 'e1',
  source: 's',
  type: 'llm',
  subject: 'acme',
  time: START,
  data: { tokens: 5 },
  ...changes,
});
const correction = (id: string, data: object) => ({
  specversion: '1.0',
  id,
  source: 's',
  type: 'tallygate.correction',
  data,
});
const booked = { source: 's', id: 'e1', customerId: ACME, type: null, meters: ['tokens'] };
const json = (body: object, key = 'k1') => ({
  headers: { 'content-type': 'application/json', 'idempotency-key': key },
  body: JSON.stringify(body),
});
const correct = (body: object, key?: string) => rig.call('POST', '/v1/corrections', json(body, key));
const audit = async () =>
  (await rig.call('GET', '/v1/usage-audit')).body['audit'] as Record<string, unknown>[];

describe('corrections', () => {
  test('are handed on to the customer of their event, metered as it should have been', async () => {
    rig.ledger.events.push(booked);
    expect(
      await correct({ source: 's', id: 'e1', data: { tokens: 3 }, author: 'ann', reason: 'retry' }),
    ).toEqual({
      status: 202,
      body: { source: 's', id: 'e1', correction: 'k1', status: 'accepted' },
    });
    await rig.settle();
    expect(rig.metered).toMatchObject([
      {
        customerId: ACME,
        type: 'llm',
        id: 'k1',
        readings: [{ meter: 'tokens', quantity: '3', features: ['completions'] }],
        corrects: { source: 's', id: 'e1', kind: 'amendment' },
      },
    ]);
    expect(await audit()).toMatchObject([
      {
        action: 'correction.sent',
        subject: 'e1',
        author: 'ann',
        reason: 'retry',
        detail: { data: { tokens: 3 } },
      },
    ]);
  });

  test('answer a repeated key as the first time, and refuse another body under it', async () => {
    rig.ledger.events.push(booked);
    const first = await correct({ source: 's', id: 'e1', reverse: true });
    expect(await correct({ source: 's', id: 'e1', reverse: true })).toEqual(first);
    expect(await correct({ source: 's', id: 'e2', reverse: true })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    expect(await audit()).toHaveLength(1);
  });

  test.each([
    [{ source: 's', id: 'e1' }, 'reverse'],
    [{ source: 's', id: 'e1', reverse: true, data: {} }, 'reverse'],
    [{ source: 's', reverse: true }, 'id'],
    [{ source: 's', id: 'e1', data: { tokens: -1 } }, 'data.tokens'],
  ])('refuse %j, naming %s', async (body, field) => {
    rig.ledger.events.push(booked);
    const answer = await correct(body);
    expect(answer.status).toBe(422);
    expect(answer.body['faults']).toEqual(expect.arrayContaining([expect.objectContaining({ field })]));
  });

  test('need to be told the type of an event that no meter has read', async () => {
    rig.ledger.events.push({ ...booked, meters: [] });
    expect(await correct({ source: 's', id: 'e1', data: { tokens: 3 } })).toMatchObject({
      status: 422,
      body: { faults: [{ field: 'type' }] },
    });
    expect(await correct({ source: 's', id: 'e1', type: 'llm', data: { tokens: 3 } })).toMatchObject({
      status: 202,
    });
  });

  test('stay behind their event in a batch, and wait for one that comes later', async () => {
    const sent = await rig.send([
      correction('c0', { id: 'e2', reverse: true }),
      event(),
      correction('c1', { id: 'e1', reverse: true }),
      event({ id: 'e2' }),
    ]);
    expect(sent).toMatchObject({ status: 202, body: { accepted: 3, parked: 1 } });
    await rig.settle();
    expect(rig.metered.map((one) => one.id)).toEqual(['e1', 'c1', 'e2']);
    expect((await rig.call('GET', '/v1/parked')).body['parked']).toMatchObject([
      { id: 'c0', code: 'event_unknown' },
    ]);
    rig.ledger.events.push({ ...booked, id: 'e2' });
    await rig.settle();
    expect(rig.metered.map((one) => one.id)).toEqual(['e1', 'c1', 'e2', 'c0']);
    expect((await rig.call('GET', '/v1/parked')).body['parked']).toEqual([]);
  });

  test('go on in the order in which they came', async () => {
    for (const [id, tokens] of [
      ['c1', 1],
      ['c2', 2],
      ['c3', 3],
    ] as const) {
      await rig.send(correction(id, { id: 'e1', data: { tokens } }));
      await rig.settle();
    }
    rig.ledger.events.push(booked);
    await rig.settle();
    expect(rig.metered.map((one) => one.id)).toEqual(['c1', 'c2', 'c3']);
  });

  test('take a key that may write: reporting usage is not giving credit back', async () => {
    const key = rig.key(undefined, ['usage:write']);
    expect(await rig.send(correction('c1', { id: 'e1', reverse: true }), key)).toMatchObject({
      status: 403,
      body: { code: 'scope_missing' },
    });
    expect((await rig.send(event(), key)).status).toBe(202);
  });

  test('of a parked event are applied there: a reversed one is shown no more', async () => {
    await rig.send(event({ subject: 'later' }));
    await rig.send(event({ subject: 'later', id: 'e2' }));
    await rig.send(correction('c1', { id: 'e1', reverse: true }));
    await rig.send(correction('c2', { id: 'e2', data: { tokens: 1 } }));
    expect((await rig.call('GET', '/v1/parked')).body['parked']).toMatchObject([{ id: 'e2' }]);
  });
});

describe('a dead letter', () => {
  async function letter(): Promise<string> {
    await rig.raw({ value: JSON.stringify(event({ id: 'bad', data: { tokens: 'x' } })) });
    const [first] = (await rig.call('GET', '/v1/dead-letters')).body['dead_letters'] as { letter: string }[];
    return first?.letter ?? '';
  }

  test('is inspected, mended and sent again, each with its author', async () => {
    const id = await letter();
    expect(await rig.call('GET', `/v1/dead-letters/${id}`)).toMatchObject({
      status: 200,
      body: { letter: id, id: 'bad', code: 'invalid_event', mended: null, audit: [] },
    });
    const mended = event({ id: 'bad', data: { tokens: 7 } });
    const edited = await rig.call('PUT', `/v1/dead-letters/${id}`, json({ event: mended, author: 'ann' }));
    expect(edited).toMatchObject({ status: 200, body: { status: 'open' } });
    expect(rig.metered).toEqual([]);
    const replayed = await rig.call(
      'POST',
      `/v1/dead-letters/${id}/replay`,
      json({ author: 'bob', reason: 'mended' }),
    );
    expect(replayed).toMatchObject({ status: 200, body: { status: 'replayed' } });
    await rig.settle();
    expect(rig.metered).toMatchObject([{ id: 'bad', readings: [{ quantity: '7' }] }]);
    expect((await rig.call('GET', `/v1/dead-letters/${id}`)).body).toMatchObject({
      mended,
      audit: [
        { action: 'dead_letter.replayed', author: 'bob', reason: 'mended' },
        { action: 'dead_letter.edited', author: 'ann', detail: { event: mended } },
      ],
    });
    expect(await rig.call('PUT', `/v1/dead-letters/${id}`, json({ event: mended }))).toMatchObject({
      status: 409,
    });
  });

  test('is thrown away once, by somebody', async () => {
    const id = await letter();
    expect(await rig.call('POST', `/v1/dead-letters/${id}/discard`, json({ author: 'ann' }))).toMatchObject({
      status: 200,
      body: { status: 'discarded' },
    });
    expect(await rig.call('POST', `/v1/dead-letters/${id}/discard`, json({}))).toMatchObject({ status: 409 });
    expect(await audit()).toMatchObject([{ action: 'dead_letter.discarded', subject: id, author: 'ann' }]);
  });
});

describe('a backfill', () => {
  const period = {
    from: '2025-01-01T00:00:00Z',
    to: '2025-02-01T00:00:00Z',
    author: 'ann',
    reason: 'lost logs',
  };
  const open = async () => (await rig.call('POST', '/v1/backfills', json(period))).body['id'] as string;
  const fill = (id: string, events: object) =>
    rig.call('POST', `/v1/backfills/${id}/events`, {
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(events),
    });

  test('takes usage of its period however old it is, and none besides', async () => {
    const id = await open();
    const sent = await fill(id, [
      event({ id: 'b1', time: '2025-01-01T00:00:00Z' }),
      event({ id: 'b2', time: '2025-01-31T23:59:59.999999Z' }),
      event({ id: 'b3', time: '2025-02-01T00:00:00Z' }),
      event({ id: 'b4', time: undefined }),
    ]);
    expect(sent).toMatchObject({ status: 207, body: { accepted: 2, refused: [{ id: 'b3' }, { id: 'b4' }] } });
    expect(await fill(id, [event({ id: 'b1', time: '2025-01-01T00:00:00Z' })])).toMatchObject({
      body: { duplicates: 1 },
    });
    await rig.settle();
    expect(rig.metered.map((one) => [one.id, one.occurredAt])).toEqual([
      ['b1', instantAt('2025-01-01T00:00:00Z')],
      ['b2', instantAt('2025-01-31T23:59:59.999999Z')],
      ['b1', instantAt('2025-01-01T00:00:00Z')],
    ]);
    const closed = await rig.call('POST', `/v1/backfills/${id}/close`, json({ author: 'bob' }));
    expect(closed).toMatchObject({
      status: 200,
      body: { status: 'closed', accepted: 2, duplicates: 1, refused: 2 },
    });
    expect(await fill(id, [event({ id: 'b5', time: '2025-01-02T00:00:00Z' })])).toMatchObject({
      status: 409,
    });
    expect(await audit()).toMatchObject([
      { action: 'backfill.closed', author: 'bob', detail: { accepted: 2 } },
      { action: 'backfill.opened', author: 'ann', reason: 'lost logs', detail: { from: period.from } },
    ]);
  });

  test('needs an administrator, a reason and a period that is over', async () => {
    const key = rig.key(undefined, ['write']);
    expect(await rig.call('POST', '/v1/backfills', { ...json(period), key })).toMatchObject({ status: 403 });
    for (const wrong of [
      { reason: ' ' },
      { to: period.from },
      { to: '2030-01-01T00:00:00Z' },
      { author: undefined },
    ])
      expect(await rig.call('POST', '/v1/backfills', json({ ...period, ...wrong }))).toMatchObject({
        status: 422,
      });
    expect(await audit()).toEqual([]);
  });
});
