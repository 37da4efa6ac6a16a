import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { NANO, SystemClock, parseInstant } from '@tallygate/kernel';
import { TOPICS } from '@tallygate/contracts';
import { createTestDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { decide, tokenOf } from '../domain';
import type { Decision } from '../domain';
import { entitlementProvisioning } from '../entitlement.module';
import { Provider, hashOf, idOf } from '../testing/facts';
import { ServiceUnderTest, TestGate, apiKeyOf, checkOver } from '../testing/service-under-test';

const ONE = '0198c0de-0000-7000-8000-000000000001';
const TWO = '0198c0de-0000-7000-8000-000000000002';

let server: PostgresServer;
let database: TestDatabase;
let service: ServiceUnderTest;
let one: Provider;
let two: Provider;
const gates: TestGate[] = [];

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
});

beforeEach(async () => {
  database = await createTestDatabase(server, [entitlementProvisioning]);
  service = await ServiceUnderTest.start(database, [ONE, TWO]);
  one = new Provider(ONE);
  two = new Provider(TWO);
  await service.publish(
    TOPICS.billingEvents,
    one.tenant(),
    one.catalog(),
    one.customer('acme'),
    one.subscription('acme'),
  );
  await service.publish(TOPICS.ledgerEvents, one.balance('acme', '5'));
});
afterEach(async () => {
  for (const gate of gates.splice(0)) gate.leave();
  await service?.stop();
  await database?.drop();
});

function gate(
  ...args: ConstructorParameters<typeof TestGate> extends [string, ...infer R] ? R : never
): TestGate {
  const opened = new TestGate(service.grpcAddress, ...args);
  gates.push(opened);
  return opened;
}

function reasonAt(at: TestGate, credential = 'acme', feature = 'completions'): Decision['reason'] {
  return decide(
    at.replica.state,
    {
      tenantId: ONE,
      identity: { kind: 'credential', hash: hashOf(credential) },
      features: [feature],
      units: NANO,
      maxPrice: null,
    },
    { now: new SystemClock().now(), feedAgeMicros: 0, unknown: 'does_not_exist' },
  ).reason;
}

const follows = (name: string) => async (): Promise<TestGate> => {
  const opened = gate(name);
  await opened.until(({ replica }) => replica.state !== null);
  return opened;
};

describe('a gate that subscribes', () => {
  it('gets a snapshot, then every change, and decides from it', async () => {
    const opened = await follows('g1')();
    expect(opened.kinds().slice(0, 3)).toEqual(['snapshotBegin', 'snapshotChunk', 'snapshotEnd']);
    expect(reasonAt(opened)).toBe('ok');

    await service.publish(TOPICS.ledgerEvents, one.balance('acme', '0'));
    await opened.until((at) => reasonAt(at) === 'credit_exhausted');
    await service.publish(TOPICS.ledgerEvents, one.balance('acme', '3'));
    await opened.until((at) => reasonAt(at) === 'ok');
    await service.publish(TOPICS.dunningEvents, one.collection('acme', 'suspended'));
    await opened.until((at) => reasonAt(at) === 'payment_past_due');
    await service.publish(TOPICS.dunningEvents, one.collection('acme', 'current'));
    await opened.until((at) => reasonAt(at) === 'ok');
    await service.publish(TOPICS.ledgerEvents, one.quota('acme', '10'));
    await opened.until((at) => reasonAt(at, 'acme', 'calls') === 'quota_exceeded');
  });

  it('holds what the service holds: equal digests in the list of gates', async () => {
    const opened = await follows('g1')();
    await service.publish(TOPICS.billingEvents, one.customer('beta'), one.subscription('beta'));
    await service.propagation.propagated(ONE);
    await opened.until(() => service.registry.list(ONE)[0]?.digestEqual === true);
    expect(service.registry.list(ONE)).toMatchObject([
      { gate: 'g1', lag: 0, digestEqual: true, connected: true },
    ]);
  });

  it('is told once a second that the feed is up, with the digest', async () => {
    const opened = await follows('g1')();
    await opened.until((at) => at.kinds().filter((kind) => kind === 'bookmark').length >= 2);
    const bookmarks = opened.messages.flatMap((message) =>
      message.message === 'bookmark' ? [message.bookmark] : [],
    );
    expect(bookmarks.at(-1)).toMatchObject({ token: opened.token, digest: opened.replica.digest });
    expect(bookmarks.at(-1)?.serverTimeMicros).toBeGreaterThan(0);
  });

  it('loses a credential that its customer no longer has', async () => {
    const opened = await follows('g1')();
    await service.publish(TOPICS.billingEvents, one.customer('acme', { apiKeys: [] }));
    await opened.until((at) => reasonAt(at) === 'credential_unknown');
    await service.publish(TOPICS.billingEvents, one.customer('acme'));
    await opened.until((at) => reasonAt(at) === 'ok');
  });

  it('hears of a change within half a second', async () => {
    const opened = await follows('g1')();
    for (const [available, reason] of [
      ['0', 'credit_exhausted'],
      ['5', 'ok'],
    ] as const) {
      const started = performance.now();
      await service.publish(TOPICS.ledgerEvents, one.balance('acme', available));
      await opened.until((at) => reasonAt(at) === reason);
      expect(performance.now() - started).toBeLessThan(500);
    }
  });

  it('applies an outdated fact to nothing', async () => {
    const opened = await follows('g1')();
    const old = one.balance('acme', '0');
    await service.publish(TOPICS.ledgerEvents, one.balance('acme', '4'), old);
    await service.propagation.propagated(ONE);
    expect(reasonAt(opened)).toBe('ok');
  });

  it('refuses by each budget of a feature, and by none that was removed', async () => {
    const opened = await follows('g1')();
    const budgets = (day: string | null, month: string | null) =>
      one.customer('acme', { budgets: [{ feature: 'completions', day, month }] });
    await service.publish(TOPICS.billingEvents, budgets('1', '9'));
    const [day, month] = [one.spend('acme', 'day', '1', '1'), one.spend('acme', 'month', '1', '9')];
    await service.publish(TOPICS.ledgerEvents, day, month);
    await opened.until((at) => reasonAt(at) === 'spend_cap_reached');
    await service.publish(TOPICS.billingEvents, budgets(null, '9'));
    await opened.until((at) => reasonAt(at) === 'ok');
    await service.publish(TOPICS.ledgerEvents, one.spend('acme', 'month', '9', '9'));
    await opened.until((at) => reasonAt(at) === 'spend_cap_reached');
    await service.publish(TOPICS.billingEvents, one.customer('acme'));
    await opened.until((at) => reasonAt(at) === 'ok');
  });

  it('gets a child’s entry when its payer is suspended', async () => {
    const payerId = idOf(ONE, 'acme');
    await service.publish(
      TOPICS.billingEvents,
      one.customer('child', { payerId }),
      one.subscription('child'),
    );
    await service.publish(TOPICS.ledgerEvents, one.balance('child', '5'));
    const opened = await follows('g1')();
    expect(reasonAt(opened, 'child')).toBe('ok');
    await service.publish(TOPICS.dunningEvents, one.collection('acme', 'suspended'));
    await opened.until((at) => reasonAt(at, 'child') === 'payment_past_due');
  });
});

describe('a gate that comes back', () => {
  it('goes on where it was, without a snapshot', async () => {
    const before = await follows('g1')();
    before.leave();
    await service.publish(TOPICS.ledgerEvents, one.balance('acme', '0'));
    const after = gate('g1', { resume: { replica: before.replica, token: before.token } });
    await after.until((at) => reasonAt(at) === 'credit_exhausted');
    expect(after.kinds()).not.toContain('snapshotBegin');
  });

  it('goes on after the service was restarted, at the same positions', async () => {
    const before = await follows('g1')();
    await service.publish(TOPICS.ledgerEvents, one.balance('acme', '1'));
    await service.propagation.propagated(ONE);
    const { token } = before;
    await service.stop();
    service = await ServiceUnderTest.start(database, [ONE, TWO]);
    const after = gate('g1', { resume: { replica: before.replica, token } });
    await service.publish(TOPICS.ledgerEvents, one.balance('acme', '0'));
    await after.until((at) => reasonAt(at) === 'credit_exhausted');
    expect(after.kinds()).not.toContain('reset');
  });

  it('is reset with a snapshot when its token means nothing here', async () => {
    const before = await follows('g1')();
    const foreign = tokenOf({ epoch: 'another', seq: 1 });
    const after = gate('g2', { resume: { replica: before.replica, token: foreign } });
    await after.until((at) => at.kinds().includes('snapshotEnd'));
    expect(after.kinds()[0]).toBe('reset');
  });

  it('is reset when it holds something else at the same position', async () => {
    const before = await follows('g1')();
    await service.propagation.propagated(ONE);
    before.leave();
    before.replica.state?.apply({
      tenantId: ONE,
      kind: 'clock',
      key: 'clock',
      version: 9,
      removed: false,
      payload: { now: '2026-03-01T00:00:00Z' },
    });
    const after = gate('g1', { resume: { replica: before.replica, token: before.token } });
    await after.until((at) => at.kinds().includes('snapshotEnd'));
    expect(after.kinds()[0]).toBe('reset');
  });

  it('gets a snapshot after refusing entries', async () => {
    const opened = await follows('g1')();
    opened.nack('cannot read this');
    await opened.until((at) => at.kinds().filter((kind) => kind === 'snapshotEnd').length === 2);
  });
});

describe('who may follow', () => {
  it('shows a tenant’s key its own tenant only', async () => {
    await service.publish(TOPICS.billingEvents, two.tenant(), two.customer('other'));
    const opened = gate('g1', { credential: apiKeyOf(TWO) });
    await opened.until(({ replica }) => replica.state !== null);
    expect([...(opened.replica.state?.tenantIds() ?? [])]).toEqual([TWO]);
    await service.publish(TOPICS.ledgerEvents, one.balance('acme', '0'));
    await service.propagation.propagated(ONE);
    expect([...(opened.replica.state?.tenantIds() ?? [])]).toEqual([TWO]);
  });

  it.each([
    ['nobody’s key', { credential: 'tg_test_0000000000000000000000' }, 16],
    ['a tenant’s key for another tenant', { credential: apiKeyOf(TWO), tenantId: ONE }, 7],
  ])('refuses %s', async (_what, options, code) => {
    const opened = gate('g1', options);
    await opened.until(({ error }) => error !== null);
    expect(opened.error?.code).toBe(code);
  });
});

describe('propagation', () => {
  it('waits for gates that are connected, and for none that left', async () => {
    const silent = gate('silent', { acks: false });
    await silent.until(({ replica }) => replica.state !== null);
    let done = false;
    const waiting = service.propagation.propagated(ONE).then(() => (done = true));
    await silent.until((at) => at.kinds().includes('bookmark'));
    expect(done).toBe(false);
    silent.leave();
    await waiting;
  });

  it('carries a test tenant’s virtual clock to the gates', async () => {
    await service.publish(TOPICS.billingEvents, two.tenant('2026-03-01T00:00:00Z'));
    const opened = await follows('g1')();
    const clock = (): string | null => opened.replica.state?.clockOf(TWO)?.toString() ?? null;
    const later = parseInstant('2026-03-05T00:00:00Z');
    if (!later.ok) throw new Error('an instant');
    await service.context.participant.settle(TWO, later.value);
    expect(clock()).toBe(String(later.value));
  });
});

describe('Check over gRPC', () => {
  it('answers with the decision, its headers and its problem', async () => {
    await service.publish(TOPICS.ledgerEvents, one.balance('acme', '0'));
    await service.propagation.propagated(ONE);
    const request = { credentialSha256: hashOf('acme'), features: ['completions'] };
    const answer = await checkOver(service.grpcAddress, apiKeyOf(ONE), request);
    expect(answer).toMatchObject({ allow: false, status: 402, reason: 'credit_exhausted', action: 'top_up' });
    expect(answer.headers['X-Payment-Required-Reason']).toBe('credit_exhausted');
    expect(JSON.parse(answer.problem)).toMatchObject({
      code: 'CREDIT_EXHAUSTED',
      price: '0.002',
      balance: '0',
    });
  });

  it('says that a key does not exist', async () => {
    const request = { credentialSha256: hashOf('nobody'), features: ['completions'] };
    const answer = await checkOver(service.grpcAddress, apiKeyOf(ONE), request);
    expect(answer.reason).toBe('credential_unknown');
  });
});
