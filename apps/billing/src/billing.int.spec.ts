import { encodeEvent, TOPICS } from '@tallygate/contracts';
import type { BillingEvent, DunningEvent } from '@tallygate/contracts';
import { freePort, startKafka, startPostgres } from '@tallygate/infra-local';
import type { KafkaServer, PostgresServer } from '@tallygate/infra-local';
import { ConfigError, KafkaEventBus, loadConfig } from '@tallygate/platform';
import type { RunningService } from '@tallygate/platform';
import { startBilling } from './billing';
import { billingConfig } from './config';

const ROOT_KEY = 'root-key-of-this-spec';

let postgres: PostgresServer;
let kafka: KafkaServer;
let service: RunningService;
let bus: KafkaEventBus;

beforeAll(async () => {
  [postgres, kafka] = await Promise.all([
    startPostgres(),
    startKafka({ jvmOptions: ['-XX:TieredStopAtLevel=1'] }),
  ]);
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const config = loadConfig(billingConfig, {
    PORT: '0',
    LOG_LEVEL: 'silent',
    DATABASE_URL: postgres.url('postgres'),
    DATABASE_ROLE_SECRET: 'role-secret-of-this-spec',
    INTERNAL_SECRET: 'internal-secret-of-this-spec',
    ROOT_KEY,
    KAFKA_BROKERS: kafka.brokers.join(','),
    DUNNING_URL: nobody,
    LEDGER_URL: nobody,
    CLOCK_PEERS: `dunning=${nobody}`,
  });
  service = await startBilling(config, false);
  bus = new KafkaEventBus({ brokers: kafka.brokers, clientId: 'spec' });
});
afterAll(async () => {
  await service?.close();
  await bus?.close();
  await kafka?.stop();
  await postgres?.stop();
});

async function call(method: string, path: string, key: string, body?: object) {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'idempotency-key': `${method} ${path}`,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('facts leave and arrive over Kafka; a stopped service counts as settled', async () => {
  const created = await call('POST', '/v1/tenants', ROOT_KEY, { name: 'p', clock: '2026-01-31T00:00:00Z' });
  const [tenantId, key] = [String(created.body['id']), String(created.body['api_key'])];
  await call('PUT', '/v1/catalog', key, { plans: [{ key: 'basic', amount: '49' }] });
  await call('POST', '/v1/customers', key, { key: 'acme', plan: 'basic', payment_method: 'ok' });
  const walked = await call('POST', '/v1/test-clock/advance', key, { to: '2026-03-01T00:00:00Z' });
  expect(walked).toMatchObject({ status: 200, body: { visited: 2 } });

  const facts: BillingEvent[] = [];
  const reading = await bus.subscribe({
    topics: [TOPICS.billingEvents],
    group: 'spec',
    handle: ({ messages }) => {
      facts.push(...messages.map(({ value }) => JSON.parse(value.toString()) as BillingEvent));
      return Promise.resolve();
    },
  });
  await reading.caughtUp();
  expect(facts.filter((fact) => fact.tenantId === tenantId).map(({ type }) => type)).toEqual([
    'tenant.changed',
    'catalog.applied',
    'customer.changed',
    'payment_method.changed',
    'subscription.changed',
    'invoice.changed',
    'subscription.changed',
    'invoice.changed',
  ]);

  const invoices = (await call('GET', '/v1/customers/acme/invoices', key)).body['invoices'] as {
    id: string;
  }[];
  const paid: DunningEvent = {
    id: 'n1',
    type: 'payment.succeeded',
    tenantId,
    occurredAt: '2026-03-01T00:00:00Z',
    data: {
      invoiceId: invoices[0]?.id ?? '',
      customerId: '',
      attemptId: 'a1',
      amount: '49',
      currency: 'USD',
      capturedAt: '',
    },
  };
  await bus.publish(TOPICS.dunningEvents, [{ key: 'acme', ...encodeEvent(paid) }]);
  await call('POST', '/v1/test-clock/settle', key, {});
  const after = await call('GET', '/v1/customers/acme/invoices', key);
  expect(after.body['invoices']).toMatchObject([{ status: 'paid' }, { status: 'open' }]);
});

test('without dunning a top-up has no outcome yet', async () => {
  const created = await call('POST', '/v1/tenants', ROOT_KEY, { name: 'q' });
  const key = String(created.body['api_key']);
  await call('POST', '/v1/customers', key, { key: 'acme' });
  const bought = await call('POST', '/v1/customers/acme/top-ups', key, {
    unit: 'USD',
    amount: '5',
    key: 't1',
  });
  expect(bought).toMatchObject({ status: 202, body: { status: 'pending' } });
});

test('a wrong configuration names every problem', () => {
  const wrong = { DATABASE_URL: 'here', CLOCK_PEERS: 'ledger', DUNNING_URL: 'there' };
  try {
    loadConfig(billingConfig, wrong);
    throw new Error('accepted');
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems.map(({ variable }) => variable) : [];
    expect(problems).toEqual(
      expect.arrayContaining(['DATABASE_URL', 'CLOCK_PEERS', 'DUNNING_URL', 'ROOT_KEY', 'KAFKA_BROKERS']),
    );
  }
});
