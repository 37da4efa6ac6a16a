import { usageIdentity } from '@tallygate/contracts';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase } from '@tallygate/platform';
import type { EventBus, TestDatabase } from '@tallygate/platform';
import { ingestionProvisioning } from '../ingestion.module';
import { ACME, IngestionRig, instantAt, ONE, START, TWO } from './ingestion-rig.fixture';

const BETA = '00000000-0000-7000-8000-0000000000b1';
const catalog = {
  meters: [
    {
      key: 'tokens',
      event_type: 'llm',
      aggregation: 'sum',
      value: '$.tokens',
      group_by: { model: '$.model' },
    },
    { key: 'calls', event_type: 'llm', aggregation: 'count' },
  ],
  features: [{ key: 'completions', kind: 'prepaid', meter: 'tokens', price: 'p' }],
};

/** What ingestion does, the same over every bus. `createBus` gives a bus that nothing was published on. */
export function ingestionBehaviour(name: string, createBus: () => Promise<EventBus>): void {
  let server: PostgresServer;
  let database: TestDatabase;
  let bus: EventBus;
  let rig: IngestionRig;

  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  beforeEach(async () => {
    database = await createTestDatabase(server, [ingestionProvisioning]);
    bus = await createBus();
    rig = await IngestionRig.start(database, bus);
    await rig.tenant();
    await rig.catalog(catalog);
    await rig.customer({ key: 'acme', subjects: ['acme-1'] });
    await rig.settle();
  });
  afterEach(async () => {
    // A bus with a log would hand what this test left to the next one.
    await rig?.settle();
    await rig?.stop();
    await bus?.close();
    await database?.drop();
  });

  const event = (changes: object = {}) => ({
    specversion: '1.0',
    id: 'e1',
    source: 's',
    type: 'llm',
    subject: 'acme-1',
    time: START,
    data: { tokens: 5, model: 'm1' },
    ...changes,
  });
  const letters = async () =>
    (await rig.call('GET', '/v1/dead-letters')).body['dead_letters'] as Record<string, unknown>[];
  const parked = async () =>
    (await rig.call('GET', '/v1/parked')).body['parked'] as Record<string, unknown>[];
  /** Another tenant, with a subject of the same name. */
  const second = async () => {
    await rig.tenant({ id: TWO, name: 'two' });
    await rig.catalog({ meters: [{ key: 'two', event_type: 'llm', aggregation: 'count' }] }, TWO);
    await rig.customer({ key: 'beta', id: BETA, subjects: ['acme-1'] }, TWO);
    await rig.settle();
  };
  const meteredIds = () => rig.metered.map((one) => one.id);

  describe(`ingestion over HTTP, with ${name}`, () => {
    test('hands an event on, metered, for its customer', async () => {
      expect(await rig.send(event())).toEqual({
        status: 202,
        body: { id: 'e1', status: 'accepted', duplicate: false },
      });
      await rig.settle();
      const at = instantAt(START);
      expect(rig.metered).toEqual([
        {
          tenantId: ONE,
          customerId: ACME,
          subject: 'acme-1',
          source: 's',
          id: 'e1',
          type: 'llm',
          occurredAt: at,
          receivedAt: at,
          payloadHash: expect.stringMatching(/^[0-9a-f]{32}$/),
          readings: [
            { meter: 'tokens', quantity: '5', group: { model: 'm1' }, features: ['completions'] },
            { meter: 'calls', quantity: '1', group: {}, features: [] },
          ],
        },
      ]);
    });

    test('takes binary mode, and means the same by it', async () => {
      const headers = {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': 'e%20%C3%BC',
        'ce-source': 's',
        'ce-type': 'llm',
        'ce-subject': 'acme-1',
        'ce-time': START,
      };
      const binary = await rig.call('POST', '/v1/events', { headers, body: '{"tokens": 5, "model": "m1"}' });
      expect(binary).toEqual({ status: 202, body: { id: 'e ü', status: 'accepted', duplicate: false } });
      expect(await rig.send(event({ id: 'e ü' }))).toEqual({
        status: 202,
        body: { id: 'e ü', status: 'accepted', duplicate: true },
      });
    });

    test('answers a repeat as the first time, and hands it on again for whom the first never reached', async () => {
      for (const duplicate of [false, true, true]) {
        expect(await rig.send(event())).toEqual({
          status: 202,
          body: { id: 'e1', status: 'accepted', duplicate },
        });
      }
      await rig.settle();
      expect(rig.metered).toHaveLength(3);
      expect(new Set(rig.metered.map((one) => JSON.stringify(one))).size).toBe(1);
    });

    test('a repeat without a time keeps the time it first came with', async () => {
      await rig.send(event({ time: undefined }));
      await rig.moveClock('2026-03-02T00:00:00Z');
      expect(await rig.send(event({ time: undefined }))).toMatchObject({
        status: 202,
        body: { duplicate: true },
      });
      await rig.settle();
      expect(rig.metered.map((one) => one.occurredAt)).toEqual([instantAt(START), instantAt(START)]);
    });

    test.each<[string, object]>([
      ['data', { data: { tokens: 6, model: 'm1' } }],
      ['subject', { subject: 'acme' }],
      ['time', { time: '2026-03-01T00:00:00.000001Z' }],
      ['absence of its time', { time: undefined }],
    ])('refuses the same identity with another %s', async (_, changes) => {
      await rig.send(event());
      expect(await rig.send(event(changes))).toMatchObject({
        status: 409,
        body: { code: 'identity_conflict', faults: [{ field: 'id' }] },
      });
      await rig.settle();
      expect(rig.metered).toHaveLength(1);
    });

    test('takes the same identity of another source for another event', async () => {
      await rig.send(event());
      expect(await rig.send(event({ source: 't', data: { tokens: 6 } }))).toMatchObject({
        status: 202,
        body: { duplicate: false },
      });
    });

    test('answers each of many requests at once for itself, whoever shares a transaction with it', async () => {
      await second();
      const other = event({ data: { tokens: 6, model: 'm1' } });
      const mine = await Promise.all([event(), other, event(), other].map((one) => rig.send(one)));
      const [theirs, wrong] = await Promise.all([
        rig.send(other, rig.key(TWO)),
        rig.send(event({ id: 'e2', subject: 7 })),
      ]);
      expect(mine.filter(({ status }) => status === 202).map(({ body }) => body['duplicate'])).toEqual(
        expect.arrayContaining([false, true]),
      );
      expect(mine.filter(({ status }) => status === 409)).toHaveLength(2);
      expect(theirs).toMatchObject({ status: 202, body: { duplicate: false } });
      expect(wrong).toMatchObject({ status: 422 });
      await rig.settle();
      const hashes = rig.metered.map(({ tenantId, payloadHash }) => `${tenantId} ${payloadHash}`);
      expect(hashes).toHaveLength(3);
      expect(new Set(hashes).size).toBe(2);
    });

    test('believes the ledger about what came from elsewhere', async () => {
      await rig.raw({ value: JSON.stringify(event({ id: 'first' })) });
      await rig.settle();
      const payloadHash = rig.metered[0]?.payloadHash ?? '';
      rig.ledger.booked.push(
        { source: 's', id: 'same', payloadHash },
        { source: 's', id: 'other', payloadHash: 'f'.repeat(32) },
      );
      expect(await rig.send(event({ id: 'same' }))).toMatchObject({ status: 202, body: { duplicate: true } });
      expect(await rig.send(event({ id: 'other' }))).toMatchObject({
        status: 409,
        body: { code: 'identity_conflict' },
      });
    });

    test('asks the ledger only about sources of which events came from elsewhere, parked ones too', async () => {
      await rig.send([event({ id: 'first' }), event({ id: 'second', source: 'late' })]);
      expect(rig.ledger.asked).toEqual([]);
      await rig.raw({ value: JSON.stringify(event({ id: 'third', source: 'late', subject: 'nobody-yet' })) });
      await rig.settle();
      await rig.send([event({ id: 'fourth' }), event({ id: 'fifth', source: 'late' })]);
      expect(rig.ledger.asked).toEqual([usageIdentity(ONE, 'late', 'fifth')]);
    });

    test('names every fault of an event', async () => {
      const refused = await rig.send({
        specversion: '1.0',
        id: '',
        type: 'llm',
        time: '1970-01-01T00:00:00Z',
        data: { tokens: 9007199254740993 },
      });
      expect(refused).toMatchObject({ status: 422, body: { code: 'invalid_event' } });
      expect((refused.body['faults'] as { field: string }[]).map((found) => found.field)).toEqual([
        'id',
        'source',
        'subject',
        'time',
        'data.tokens',
      ]);
      expect(await letters()).toEqual([]);
    });

    test('takes the good events of a batch and names the others', async () => {
      await rig.send(event({ id: 'known' }));
      const batch = [
        event({ id: 'a' }),
        event({ id: 'b', data: { tokens: -1 } }),
        event({ id: 'known', data: { tokens: 9 } }),
        event({ id: 'a' }),
        event({ id: 'p', subject: 'nobody' }),
        'x',
      ];
      expect(await rig.send(batch)).toEqual({
        status: 207,
        body: {
          accepted: 1,
          duplicates: 1,
          parked: 1,
          refused: [
            {
              index: 1,
              id: 'b',
              status: 422,
              code: 'invalid_event',
              faults: [expect.objectContaining({ field: 'data.tokens' })],
            },
            {
              index: 2,
              id: 'known',
              status: 409,
              code: 'identity_conflict',
              faults: [expect.objectContaining({ field: 'id' })],
            },
            {
              index: 5,
              id: null,
              status: 422,
              code: 'invalid_event',
              faults: [expect.objectContaining({ problem: 'is not an event' })],
            },
          ],
        },
      });
      await rig.settle();
      expect(meteredIds()).toEqual(['known', 'a', 'a']);
    });

    test('finds a conflict inside a batch', async () => {
      const answer = await rig.send([event({ id: 'a' }), event({ id: 'a', data: { tokens: 6 } })]);
      expect(answer).toMatchObject({
        status: 207,
        body: { accepted: 1, refused: [{ index: 1, code: 'identity_conflict' }] },
      });
    });

    test('answers a batch of which nothing was taken as a refusal', async () => {
      expect(await rig.send([event({ id: '' }), event({ data: { tokens: 'x' } })])).toMatchObject({
        status: 422,
        body: { code: 'invalid_event', faults: [{ field: '[0].id' }, { field: '[1].data.tokens' }] },
      });
      await rig.send(event());
      expect(await rig.send([event({ data: { tokens: 7 } })])).toMatchObject({
        status: 409,
        body: { code: 'identity_conflict' },
      });
      expect(await rig.send([])).toMatchObject({ status: 202, body: { accepted: 0, refused: [] } });
    });

    const send = (body: string | Buffer, type = 'application/cloudevents+json') =>
      rig.call('POST', '/v1/events', { headers: { 'content-type': type }, body });

    test.each<[string, string | Buffer, number, string]>([
      ['broken JSON', '{"id": ', 400, 'not_json'],
      ['bytes that are no UTF-8', Buffer.from('{"id": "\xff"}', 'latin1'), 400, 'not_utf8'],
      ['more than 1 MiB', JSON.stringify({ id: 'x'.repeat(1024 * 1024) }), 413, 'body_too_large'],
      ['no object', '5', 422, 'invalid_event'],
    ])('refuses %s', async (_, body, status, code) => {
      expect(await send(body)).toMatchObject({ status, body: { code } });
    });

    test('refuses more than 1000 events and other content types', async () => {
      expect(await send(JSON.stringify(Array(1001).fill(event())))).toMatchObject({
        status: 413,
        body: { code: 'batch_too_large' },
      });
      expect(await send('<event/>', 'application/xml')).toMatchObject({ status: 415 });
    });

    test('asks for a key that may write usage', async () => {
      expect(await rig.send(event(), rig.key(ONE, ['read']))).toMatchObject({
        status: 403,
        body: { code: 'scope_missing' },
      });
      expect(await rig.send(event(), rig.key(ONE, ['usage:write']))).toMatchObject({ status: 202 });
      expect(await rig.send(event(), rig.key(ONE, ['write']))).toMatchObject({ status: 202 });
    });

    test('the dedup window is the tenant’s, and both bounds are inside', async () => {
      const settings = {
        lateness: '1h',
        dedupWindow: '2d',
        discloseBalance: false,
        disclosePrice: true,
        portalUrl: null,
        docsUrl: null,
      };
      await rig.tenant({ settings });
      await rig.settle();
      const statusAt = async (id: string, time: string) => (await rig.send(event({ id, time }))).status;
      expect(await statusAt('oldest', '2026-02-27T00:00:00Z')).toBe(202);
      expect(await statusAt('older', '2026-02-26T23:59:59.999999Z')).toBe(422);
      expect(await statusAt('latest', '2026-03-01T00:05:00Z')).toBe(202);
      expect(await statusAt('later', '2026-03-01T00:05:00.000001Z')).toBe(422);
    });

    test('remembers an identity as long as it may come again, and no longer', async () => {
      await rig.send(event());
      await rig.moveClock('2026-04-05T00:00:00Z');
      expect(await rig.send(event({ data: { tokens: 6 } }))).toMatchObject({ status: 409 });
      await rig.moveClock('2026-04-05T00:00:00.000001Z');
      const { rows } = await rig.context.database.asWorker((tx) =>
        tx.query('select identity from received_event'),
      );
      expect(rows).toEqual([]);
    });
  });

  describe(`parking, with ${name}`, () => {
    test('keeps usage of an unknown customer until the customer comes', async () => {
      expect(await rig.send(event({ subject: 'late' }))).toEqual({
        status: 202,
        body: { id: 'e1', status: 'parked', code: 'customer_unknown', duplicate: false },
      });
      expect(await rig.send(event({ subject: 'late' }))).toMatchObject({
        status: 202,
        body: { status: 'parked', duplicate: true },
      });
      expect(await parked()).toEqual([
        {
          id: 'e1',
          code: 'customer_unknown',
          source: 's',
          type: 'llm',
          subject: 'late',
          occurred_at: START,
          received_at: START,
        },
      ]);
      await rig.moveClock('2026-06-01T00:00:00Z');
      await rig.customer({ key: 'beta', id: BETA, subjects: ['late'] });
      await rig.settle();
      expect(await parked()).toEqual([]);
      expect(rig.metered).toMatchObject([
        { id: 'e1', customerId: BETA, occurredAt: instantAt(START), receivedAt: instantAt(START) },
      ]);
    });

    test('keeps usage without a time at the time it came', async () => {
      await rig.send(event({ subject: 'late', time: undefined }));
      await rig.moveClock('2026-03-05T00:00:00Z');
      await rig.customer({ key: 'late', id: BETA });
      await rig.settle();
      expect(rig.metered).toMatchObject([{ customerId: BETA, occurredAt: instantAt(START) }]);
    });

    test('keeps usage of an unknown meter until a catalog has it', async () => {
      await rig.send(event({ type: 'gpu' }));
      expect(await parked()).toMatchObject([{ code: 'meter_unknown' }]);
      await rig.catalog({
        meters: [{ key: 'gpu', event_type: 'gpu', aggregation: 'sum', value: '$.tokens' }],
      });
      await rig.settle();
      expect(await parked()).toEqual([]);
      expect(rig.metered).toMatchObject([{ readings: [{ meter: 'gpu', quantity: '5' }] }]);
    });

    test('waits for both, the customer first', async () => {
      await rig.raw({ value: JSON.stringify(event({ type: 'gpu', subject: 'late' })) });
      await rig.settle();
      expect(await parked()).toMatchObject([{ code: 'customer_unknown' }]);
      await rig.customer({ key: 'late', id: BETA });
      await rig.settle();
      expect(await parked()).toMatchObject([{ code: 'meter_unknown' }]);
      await rig.catalog({ meters: [{ key: 'gpu', event_type: 'gpu', aggregation: 'count' }] });
      await rig.settle();
      expect(await parked()).toEqual([]);
      expect(meteredIds()).toEqual(['e1']);
    });

    test('makes a letter of what the meter that came cannot read', async () => {
      await rig.send(event({ type: 'gpu', data: {} }));
      await rig.catalog({
        meters: [{ key: 'gpu', event_type: 'gpu', aggregation: 'sum', value: '$.seconds' }],
      });
      await rig.settle();
      expect(await parked()).toEqual([]);
      expect(await letters()).toMatchObject([
        { id: 'e1', code: 'invalid_event', faults: [{ field: 'data.seconds' }] },
      ]);
    });

    test('an event whose meters all leave it out is taken, with nothing read', async () => {
      await rig.catalog({
        meters: [
          { key: 'm', event_type: 'llm', aggregation: 'count', filter: [{ path: '$.x', op: 'exists' }] },
        ],
      });
      await rig.settle();
      expect(await rig.send(event())).toMatchObject({ status: 202, body: { status: 'accepted' } });
      await rig.settle();
      expect(rig.metered).toMatchObject([{ readings: [] }]);
    });
  });

  describe(`usage.raw, with ${name}`, () => {
    const good = (id: string) => ({ value: JSON.stringify(event({ id })) });

    test('poisoned messages in the middle block nothing and become letters', async () => {
      await rig.raw(
        good('k1'),
        { value: 'not json' },
        { value: Buffer.from('{"id": "\xff"}', 'latin1') },
        { value: Buffer.alloc(0) },
        { value: JSON.stringify(event({ id: 'k2', data: { tokens: -1 } })) },
        { value: JSON.stringify(event()), headers: {} },
        { value: JSON.stringify([event({ id: 'k3' }), event({ id: 'k4', type: '' }), 7]) },
        { value: '{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000) },
        good('k5'),
      );
      await rig.settle();
      expect(meteredIds().sort()).toEqual(['k1', 'k3', 'k5']);
      const found = (await letters()).map(({ id, code }) => `${String(code)} ${String(id)}`).sort();
      expect(found).toEqual([
        'invalid_event k2',
        'invalid_event k4',
        'invalid_event null',
        'invalid_event null',
        'not_json null',
        'not_json null',
        'not_utf8 null',
      ]);
      expect((await letters()).find((letter) => letter['code'] === 'not_utf8')).toMatchObject({
        payload_base64: Buffer.from('{"id": "\xff"}', 'latin1').toString('base64'),
      });
    });

    test('a line of an access log is one event, whoever sent it and however often', async () => {
      const line = {
        ...event({ subject: 'acme%2D1', data: { tokens: '5', model: 'm1', units: '' } }),
        accesslog: '1',
        tenant: ONE,
      };
      const text = JSON.stringify(line);
      const stamped = JSON.stringify({ '@timestamp': 1772323200.123456, ...line });
      await rig.raw(
        // Fluent Bit: the line as it is, and as members with its own time; no headers.
        { value: text, headers: {} },
        { value: stamped, headers: {} },
        // The agent: batches, with the tenant beside them.
        { value: `[${text},${text}]` },
        { value: JSON.stringify({ ...line, id: 'e2', data: { tokens: '' } }), headers: {} },
      );
      await rig.settle();
      expect(rig.metered).toHaveLength(4);
      expect(new Set(rig.metered.map((one) => one.payloadHash)).size).toBe(1);
      expect(rig.metered[0]).toMatchObject({ tenantId: ONE, customerId: ACME, subject: 'acme-1', id: 'e1' });
      expect(await letters()).toMatchObject([{ id: 'e2', code: 'invalid_event' }]);
    });

    test('messages without a tenant are the operator’s', async () => {
      await rig.raw(
        { value: JSON.stringify(event()), headers: {} },
        { value: 'x', headers: { tenant: 'one' } },
      );
      await rig.settle();
      expect(await letters()).toEqual([]);
      const unassigned = await rig.call('GET', '/v1/unassigned-dead-letters', {
        key: 'root-key-of-the-tests',
      });
      expect(unassigned.body['dead_letters']).toMatchObject([
        { code: 'tenant_missing' },
        { code: 'tenant_missing' },
      ]);
      expect(await rig.call('GET', '/v1/unassigned-dead-letters')).toMatchObject({ status: 403 });
    });

    test('takes binary mode by the Kafka binding', async () => {
      const attributes = {
        ce_specversion: '1.0',
        ce_id: 'b1',
        ce_source: 's',
        ce_type: 'llm',
        ce_subject: 'acme-1',
        ce_time: START,
      };
      const headers = { tenant: ONE, 'content-type': 'application/json', ...attributes };
      await rig.raw(
        { value: '{"tokens": "2.50"}', headers },
        { value: '{}', headers: { ...headers, ce_id: 'b2' } },
      );
      await rig.settle();
      expect(rig.metered).toMatchObject([
        { id: 'b1', occurredAt: instantAt(START), readings: [{ quantity: '2.5' }, {}] },
      ]);
      expect(await letters()).toMatchObject([
        { id: 'b2', faults: [{ field: 'data.tokens', value: 'absent' }] },
      ]);
    });

    test('tells tenants apart, inside one slice too', async () => {
      await second();
      await rig.raw(good('k1'), { value: JSON.stringify(event({ id: 'k1' })), headers: { tenant: TWO } });
      await rig.settle();
      const seen = rig.metered.map(({ tenantId, customerId, readings }) => [
        tenantId,
        customerId,
        readings.length,
      ]);
      expect(seen.sort()).toEqual([
        [ONE, ACME, 2],
        [TWO, BETA, 1],
      ]);
      await rig.raw({ value: 'x', headers: { tenant: TWO } });
      await rig.settle();
      expect(await letters()).toEqual([]);
    });

    test('packs a slice: many events, few messages, a customer’s in order', async () => {
      await rig.raw(...Array.from({ length: 200 }, (_, place) => good(`k${String(place).padStart(3, '0')}`)));
      await rig.settle();
      expect(meteredIds()).toEqual([...meteredIds()].sort());
      expect(meteredIds()).toHaveLength(200);
      expect(rig.packs.length).toBeLessThan(50);
    });

    test('makes letters of what parks under one identity with two payloads', async () => {
      const one = event({ subject: 'late' });
      await rig.raw(
        { value: JSON.stringify(one) },
        { value: JSON.stringify(one) },
        { value: JSON.stringify({ ...one, data: { tokens: 6 } }) },
      );
      await rig.settle();
      expect(await parked()).toHaveLength(1);
      expect(await letters()).toMatchObject([{ id: 'e1', code: 'identity_conflict' }]);
    });
  });

  describe(`dead letters, with ${name}`, () => {
    test('the ledger’s rejections are here, each once', async () => {
      const rejected = {
        source: 's',
        id: 'e9',
        customerId: ACME,
        code: 'identity_conflict',
        detail: '',
        event: { id: 'e9' },
      } as const;
      await rig.reject(rejected, 'fact-a');
      await rig.reject(rejected, 'fact-a');
      await rig.settle();
      expect(await letters()).toMatchObject([
        {
          id: 'e9',
          source: 's',
          code: 'identity_conflict',
          faults: [{ field: 'id' }],
          payload: '{"id":"e9"}',
        },
      ]);
    });

    test('are replayed as they are or mended, discarded, and closed once', async () => {
      await rig.raw(
        { value: JSON.stringify(event({ id: 'k1', data: { tokens: -1 } })) },
        { value: 'not json' },
      );
      await rig.settle();
      const [first, second] = (await letters()).map(
        (letter) => `/v1/dead-letters/${String(letter['letter'])}`,
      );
      const post = (path: string, body?: object) =>
        rig.call('POST', path, {
          headers: { 'content-type': 'application/json' },
          body: body && JSON.stringify(body),
        });
      expect(await post(`${first}/replay`, {})).toMatchObject({
        status: 422,
        body: { faults: [{ field: 'data.tokens' }] },
      });
      expect(
        await post(`${first}/replay`, { event: event({ id: 'k1', data: { tokens: 1 } }) }),
      ).toMatchObject({ status: 200, body: { status: 'replayed', id: 'k1' } });
      expect(await post(`${first}/replay`, {})).toMatchObject({
        status: 409,
        body: { code: 'dead_letter_closed' },
      });
      expect(await post(`${second}/discard`)).toMatchObject({ status: 200, body: { status: 'discarded' } });
      expect(await post(`${second}/discard`)).toMatchObject({ status: 409 });
      expect(await post(`/v1/dead-letters/${ONE}/discard`)).toMatchObject({ status: 404 });
      expect(await letters()).toEqual([]);
      expect((await rig.call('GET', '/v1/dead-letters?status=replayed')).body['dead_letters']).toHaveLength(
        1,
      );
      await rig.settle();
      expect(meteredIds()).toEqual(['k1']);
    });

    test('an event that a mended catalog can read is replayed as it was', async () => {
      await rig.raw({ value: JSON.stringify(event({ data: {} })) });
      await rig.settle();
      await rig.catalog({ meters: [{ key: 'calls', event_type: 'llm', aggregation: 'count' }] });
      await rig.settle();
      const [letter] = await letters();
      expect(await rig.call('POST', `/v1/dead-letters/${String(letter?.['letter'])}/replay`)).toMatchObject({
        status: 200,
      });
      await rig.settle();
      expect(meteredIds()).toEqual(['e1']);
    });

    test('are counted', async () => {
      await rig.raw({ value: 'x' });
      await rig.send(event());
      await rig.settle();
      const page = await rig.context.metrics.metrics();
      expect(page).toContain('tallygate_dead_letters_total{code="not_json"} 1');
      expect(page).toContain('tallygate_usage_accepted_total{via="http"} 1');
    });
  });
}
