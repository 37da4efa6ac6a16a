import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { TOPICS } from '@tallygate/contracts';
import { createTestDatabase, InProcessEventBus, PublishError } from '@tallygate/platform';
import type { OutgoingMessage, TestDatabase } from '@tallygate/platform';
import { ingestionProvisioning } from '../ingestion.module';
import { IngestionRig, ONE, START } from '../testing/ingestion-rig.fixture';

/** A bus that may be away for metered usage, as Kafka is while it restarts. */
class UnreliableBus extends InProcessEventBus {
  away = false;

  override async publish(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    if (this.away && topic === TOPICS.usageMetered)
      throw new PublishError(topic, messages, new Error('away'));
    await super.publish(topic, messages);
  }
}

let server: PostgresServer;
let database: TestDatabase;
let bus: UnreliableBus;
let rig: IngestionRig;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  database = await createTestDatabase(server, [ingestionProvisioning]);
  bus = new UnreliableBus();
  rig = await IngestionRig.start(database, bus);
  await rig.tenant();
  await rig.catalog({ meters: [{ key: 'calls', event_type: 'call', aggregation: 'count' }] });
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
  type: 'call',
  subject: 'acme',
  time: START,
  ...changes,
});

test('an event remembered but not published is not acknowledged, and its repeat publishes it', async () => {
  bus.away = true;
  expect(await rig.send(event())).toMatchObject({ status: 503, body: { code: 'usage_not_durable' } });
  bus.away = false;
  expect(await rig.send(event())).toMatchObject({ status: 202, body: { status: 'accepted' } });
  expect(rig.metered.map((one) => one.id)).toEqual(['e1']);
});

test('a slice that could not be published leaves nothing behind and comes again whole', async () => {
  bus.away = true;
  const slice = [
    { value: JSON.stringify(event()) },
    { value: 'not json' },
    { value: JSON.stringify(event({ id: 'e2', subject: 'late' })) },
  ];
  await expect(rig.raw(...slice)).rejects.toThrow(PublishError);
  bus.away = false;
  await rig.raw(...slice);
  await rig.settle();
  expect(rig.metered.map((one) => one.id)).toEqual(['e1']);
  expect((await rig.call('GET', '/v1/dead-letters')).body['dead_letters']).toMatchObject([
    { code: 'not_json' },
  ]);
  expect((await rig.call('GET', '/v1/parked')).body['parked']).toMatchObject([{ id: 'e2' }]);
});

test('a parked event whose publishing fails stays parked and goes later', async () => {
  await rig.send(event({ subject: 'late' }));
  bus.away = true;
  await rig.customer({ key: 'late', id: '00000000-0000-7000-8000-0000000000b1' });
  await expect(rig.settle()).rejects.toThrow(PublishError);
  bus.away = false;
  await rig.settle();
  expect(rig.metered.map((one) => one.id)).toEqual(['e1']);
});

test('requests of one identity at the same moment agree on who was first', async () => {
  const key = rig.key(ONE);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => rig.send(event({ data: { n: n % 2 } }), key)),
  );
  const accepted = answers.filter((answer) => answer.status === 202);
  expect(accepted.filter((answer) => answer.body['duplicate'] === false)).toHaveLength(1);
  expect([accepted.length, answers.filter((answer) => answer.status === 409).length]).toEqual([10, 10]);
  expect(new Set(rig.metered.map((one) => one.payloadHash)).size).toBe(1);
});

test('batches with the same identities in opposite order do not block each other', async () => {
  const key = rig.key(ONE);
  const events = Array.from({ length: 200 }, (_, n) => event({ id: `e${n}` }));
  const answers = await Promise.all([
    rig.send(events, key),
    rig.send([...events].reverse(), key),
    rig.send(events, key),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202]);
  const accepted = answers.reduce((sum, answer) => sum + Number(answer.body['accepted']), 0);
  expect(accepted).toBe(200);
});
