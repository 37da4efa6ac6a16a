import { decodeEvent, packUsage, TOPICS } from '@tallygate/contracts';
import type { LedgerEvent } from '@tallygate/contracts';
import { startKafka, startPostgres, waitUntil } from '@tallygate/infra-local';
import type { KafkaServer, PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase, KafkaEventBus } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { ledgerProvisioning } from '../provisioning';
import { RunningLedger } from '../testing/running-ledger';
import { usageEvent } from '../testing/sample';

const PATIENCE_MS = 60_000;
const TOPIC = TOPICS.usageMetered;

let kafka: KafkaServer;
let server: PostgresServer;
let test: TestDatabase;
let bus: KafkaEventBus;
let owner: Client;
let ledger: RunningLedger | null = null;

beforeAll(async () => {
  [kafka, server] = await Promise.all([startKafka(), startPostgres({ settings: { fsync: 'off' } })]);
  test = await createTestDatabase(server, [ledgerProvisioning]);
  bus = new KafkaEventBus({ brokers: kafka.brokers, clientId: 'ledger' });
  await bus.ensureTopics({ ...Object.fromEntries(Object.values(TOPICS).map((topic) => [topic, 1])) });
  owner = new Client({ connectionString: test.url, options: '-c search_path=ledger' });
  await owner.connect();
});
afterAll(async () => {
  await ledger?.close();
  await bus.close();
  await owner.end();
  await Promise.all([kafka.stop(), server.stop()]);
});

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  if (!(await waitUntil(condition, PATIENCE_MS))) throw new Error(`in vain: ${what}`);
}

const ids = async (): Promise<string> =>
  (
    await owner.query<{ ids: string }>(
      `select string_agg(event_id, ' ' order by event_id) as ids from usage_event`,
    )
  ).rows[0]?.ids ?? '';

/** As Kafka's retention does: what lies before the offset is gone. */
async function forgetBefore(offset: string): Promise<void> {
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  // Asking for the offsets is what makes this client know the topic's leader.
  await admin.fetchTopicOffsets(TOPIC);
  await admin.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition: 0, offset }] });
  await admin.disconnect();
}

describe('a partition whose messages Kafka no longer has', () => {
  it('stands still and says so everywhere, until somebody lets it go on', async () => {
    const first = (ledger = await RunningLedger.start(bus, test));
    const customer = await first.introduce();
    const { tenantId } = first;
    const send = (id: string): Promise<void> => {
      const event = usageEvent({ tenantId, customerId: customer.id }, { id, tokens: '500' });
      return bus.publish(TOPIC, [
        { key: customer.id, value: packUsage(tenantId, [event]), headers: { tenant: tenantId } },
      ]);
    };
    await until(
      'the customer is known',
      async () => (await owner.query('select from subscription_version')).rowCount === 1,
    );
    await send('a');
    await until('a is taken', async () => (await ids()) === 'a');
    await first.close();
    ledger = null;
    for (const id of ['b', 'c', 'd']) await send(id);
    await forgetBefore('3');

    const alerts: LedgerEvent[] = [];
    await bus.subscribe({
      topics: [TOPICS.ledgerEvents],
      group: 'test',
      handle: async ({ messages }) => {
        const events = messages.map(({ value }) => decodeEvent<LedgerEvent>(value));
        alerts.push(...events.filter(({ type }) => type === 'alert.raised'));
      },
    });
    const second = (ledger = await RunningLedger.start(bus, test, tenantId));
    await until(
      'it is degraded',
      async () => (await second.call('GET', '/readyz')).body['status'] === 'degraded',
    );
    expect((await second.call('GET', '/readyz')).body).toMatchObject({
      degraded: [
        {
          name: 'usage partitions',
          problem: `usage is lost and not taken: ${TOPIC}/0 continues at 3 where 1 is next`,
        },
      ],
    });
    expect(JSON.stringify((await second.call('GET', '/metrics')).body)).toContain(
      `tallygate_partition_stopped{topic=\\"${TOPIC}\\",partition=\\"0\\"} 1`,
    );
    await until('every tenant is alerted', async () => alerts.length > 0);
    expect(alerts).toMatchObject([{ tenantId, data: { kind: 'usage_partition_stopped' } }]);
    expect((await second.callAsRoot('GET', '/v1/partitions')).body).toMatchObject([
      { topic: TOPIC, partition: 0, next: 1, stopped: { continues_at: 3 } },
    ]);
    expect((await second.call('GET', '/v1/partitions')).status).toBe(403);
    expect(await ids()).toBe('a');

    const request = { topic: TOPIC, partition: 0, author: 'ops', reason: 'an outage longer than retention' };
    expect(await second.callAsRoot('POST', '/v1/partitions/skip', request)).toMatchObject({
      status: 200,
      body: { ...request, from: 1, to: 3 },
    });
    await until('it goes on', async () => (await ids()) === 'a d');
    expect((await second.call('GET', '/readyz')).body).toEqual({ status: 'ready' });
    expect(await second.callAsRoot('POST', '/v1/partitions/skip', request)).toMatchObject({
      status: 409,
      body: { code: 'partition_not_stopped' },
    });
    const { rows } = await owner.query('select author, reason, from_offset, to_offset from partition_skip');
    expect(rows).toEqual([{ author: 'ops', reason: request.reason, from_offset: '1', to_offset: '3' }]);
  });
});
