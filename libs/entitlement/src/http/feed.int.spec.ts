import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { TOPICS } from '@tallygate/contracts';
import { createTestDatabase } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { Digest } from '../domain';
import { entitlementProvisioning } from '../entitlement.module';
import { Provider, hashOf } from '../testing/facts';
import { GATE_SECRET, ServiceUnderTest, apiKeyOf } from '../testing/service-under-test';

const ONE = '0198c0de-0000-7000-8000-000000000001';
const TWO = '0198c0de-0000-7000-8000-000000000002';
const KEY = apiKeyOf(ONE);

let server: PostgresServer;
let database: TestDatabase;
let service: ServiceUnderTest;
let one: Provider;

beforeAll(async () => {
  server = await startPostgres();
  database = await createTestDatabase(server, [entitlementProvisioning]);
  service = await ServiceUnderTest.start(database, [ONE, TWO]);
  one = new Provider(ONE);
  await service.publish(
    TOPICS.billingEvents,
    one.tenant(),
    one.catalog(),
    one.customer('acme'),
    one.subscription('acme'),
  );
});
afterAll(async () => {
  await service?.stop();
  await server?.stop();
});

beforeEach(async () => {
  await publishBalance('5');
});

async function publishBalance(available: string): Promise<void> {
  await service.publish(TOPICS.ledgerEvents, one.balance('acme', available));
  await service.propagation.propagated(ONE);
}

interface Line {
  readonly type: string;
  readonly tenant_id: string;
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  readonly token: string;
  readonly digest: string;
}

async function snapshotLines(key = KEY): Promise<readonly Line[]> {
  const response = await service.get('/v1/feed/snapshot', key);
  expect(response.status).toBe(200);
  const text = await response.text();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

async function tokenNow(): Promise<string> {
  return (await snapshotLines()).at(-1)?.token ?? '';
}

describe('GET /v1/feed/snapshot', () => {
  it('ends with the digest of its own lines', async () => {
    const lines = await snapshotLines();
    const digest = new Digest();
    for (const line of lines) {
      if (line.type === 'entry') digest.toggle(line.tenant_id, line.kind, line.key, line.version);
    }
    expect(lines[0]?.type).toBe('snapshot_begin');
    expect(lines.at(-1)).toMatchObject({ type: 'snapshot_end', digest: digest.toString() });
    const kinds = lines.filter((line) => line.type === 'entry').map((line) => line.kind);
    expect([...kinds].sort()).toEqual(['catalog', 'credential', 'customer', 'tenant']);
  });

  it('is compressed on request, and not sent again while nothing changed', async () => {
    const first = await service.get('/v1/feed/snapshot', KEY, { 'accept-encoding': 'gzip' });
    expect(first.headers.get('content-encoding')).toBe('gzip');
    await first.text();
    const etag = first.headers.get('etag') ?? '';
    expect((await service.get('/v1/feed/snapshot', KEY, { 'if-none-match': etag })).status).toBe(304);
    await publishBalance('4');
    const again = await service.get('/v1/feed/snapshot', KEY, { 'if-none-match': etag });
    expect(again.status).toBe(200);
    await again.text();
  });

  it('shows another tenant nothing of it', async () => {
    expect((await snapshotLines(apiKeyOf(TWO))).map((line) => line.type)).toEqual([
      'snapshot_begin',
      'snapshot_end',
    ]);
  });
});

describe('GET /v1/feed/changes', () => {
  it('answers at once with what changed, and the digest then', async () => {
    const token = await tokenNow();
    await publishBalance('3');
    const response = await service.get(`/v1/feed/changes?token=${token}`, KEY);
    const changes = (await response.json()) as { from: string; upserts: Line[]; digest: string; to: string };
    expect(changes).toMatchObject({ from: token, upserts: [{ kind: 'customer' }], removes: [] });
    expect(changes.digest).toBe((await snapshotLines()).at(-1)?.digest);
  });

  it('waits for a change when asked to', async () => {
    const token = await tokenNow();
    const waiting = service.get(`/v1/feed/changes?token=${token}&wait=30`, KEY);
    await publishBalance('2');
    const changes = (await (await waiting).json()) as { upserts: Line[] };
    expect(changes.upserts).toHaveLength(1);
  });

  it('answers with nothing after the wait', async () => {
    const response = await service.get(`/v1/feed/changes?token=${await tokenNow()}&wait=0.05`, KEY);
    expect(await response.json()).toMatchObject({ upserts: [], removes: [] });
  });

  it.each(['another:1', 'nonsense', 'zzz:999999999'])('says 410 to the token %s', async (token) => {
    const response = await service.get(`/v1/feed/changes?token=${token}`, KEY);
    expect(response.status).toBe(410);
    expect(await response.json()).toMatchObject({ code: 'feed_token_gone' });
  });

  it('streams events to whoever accepts them', async () => {
    const token = await tokenNow();
    const accept = { accept: 'text/event-stream' };
    const response = await service.get(`/v1/feed/changes?token=${token}&gate=sse`, KEY, accept);
    await service.publish(TOPICS.ledgerEvents, one.balance('acme', '1'));
    const seen = await readUntil(
      response,
      (text) => text.includes('event: delta') && text.includes('event: bookmark'),
    );
    expect(seen).toMatch(/id: \S+\nevent: delta\ndata: \{"from":/);
  });
});

describe('who is let in', () => {
  it.each([
    ['what is no key', 'x', 401, 'credential_unknown'],
    ['an unknown key', 'tg_test_00000000000000000000', 401, 'credential_unknown'],
  ])('%s: %s', async (_what, key, status, code) => {
    const response = await service.get('/v1/feed/snapshot', key);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  it('the installation’s gates, with every tenant', async () => {
    expect((await snapshotLines(GATE_SECRET)).length).toBeGreaterThan(2);
  });
});

describe('POST /v1/check', () => {
  it('decides for a credential, a customer or a subject alike', async () => {
    for (const who of [
      { credential: 'acme' },
      { credential_sha256: hashOf('acme') },
      { customer: 'acme' },
      { subject: 'acme-1' },
    ]) {
      const response = await service.post('/v1/check', KEY, { ...who, feature: 'completions' });
      expect(await response.json()).toMatchObject({ allowed: true, status: 200, reason: 'ok' });
    }
  });

  it('answers a denial with the headers and the body that a gate would send', async () => {
    await publishBalance('0.001');
    const body = { customer: 'acme', features: ['completions', 'images'], units: '1' };
    const answer = (await (await service.post('/v1/check', KEY, body)).json()) as {
      headers: Record<string, string>;
    };
    expect(answer).toMatchObject({
      allowed: false,
      status: 403,
      reason: 'feature_forbidden',
      violated: ['images', 'completions'],
      body: {
        code: 'FEATURE_FORBIDDEN',
        violated: [
          { feature: 'images', reason: 'feature_forbidden' },
          { feature: 'completions', reason: 'credit_insufficient' },
        ],
      },
    });
    expect(answer.headers['Cache-Control']).toBe('no-store');
  });

  it('takes the installation’s credential with the tenant named', async () => {
    const body = { tenant_id: ONE, customer: 'acme', feature: 'completions' };
    expect(await (await service.post('/v1/check', GATE_SECRET, body)).json()).toMatchObject({
      allowed: true,
    });
  });

  it('refuses to look into another tenant', async () => {
    const body = { tenant_id: TWO, customer: 'acme', feature: 'completions' };
    expect((await service.post('/v1/check', KEY, body)).status).toBe(403);
  });

  it('names every fault', async () => {
    const body = { customer: 'acme', subject: 's', units: '-1', max_price: '0.0000000001', colour: 1 };
    const response = await service.post('/v1/check', KEY, body);
    expect(response.status).toBe(422);
    const { faults } = (await response.json()) as { faults: { field: string }[] };
    expect(faults.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['units', 'max_price', 'colour']),
    );
  });
});

describe('GET /v1/customers/:customer/entitlements/:feature', () => {
  it('shows a quota as it stands', async () => {
    await service.publish(TOPICS.ledgerEvents, one.quota('acme', '7'));
    await service.propagation.propagated(ONE);
    const response = await service.get('/v1/customers/acme/entitlements/calls', KEY);
    expect(await response.json()).toEqual({
      customer: 'acme',
      feature: 'calls',
      allowed: true,
      reason: 'ok',
      used: '7',
      remaining: '3',
      included: '10',
      resets_at: '2126-04-01T00:00:00Z',
    });
  });

  it('says 404 for a customer that does not exist', async () => {
    expect((await service.get('/v1/customers/nobody/entitlements/calls', KEY)).status).toBe(404);
  });
});

// Last: a gate that acknowledged by polling is waited for while it counts as connected.
describe('POST /v1/feed/ack', () => {
  it('lists the gate with what it holds', async () => {
    const last = (await snapshotLines()).at(-1);
    const body = { gate: 'poller', token: last?.token, digest: last?.digest };
    expect((await service.post('/v1/feed/ack', KEY, body)).status).toBe(200);
    const gates = (await (await service.get('/v1/gates', KEY)).json()) as { gate: string }[];
    expect(gates.find(({ gate }) => gate === 'poller')).toMatchObject({
      connected: true,
      revision: last?.token,
      lag: 0,
      digest_equal: true,
    });
  });

  it('names every fault of a body', async () => {
    const response = await service.post('/v1/feed/ack', KEY, { gate: '', token: 5 });
    expect(response.status).toBe(422);
    const { faults } = (await response.json()) as { faults: { field: string }[] };
    expect(faults.map(({ field }) => field)).toEqual(['gate', 'token', 'digest']);
  });
});

async function readUntil(response: Response, enough: (text: string) => boolean): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error('no body');
  const decoder = new TextDecoder();
  let text = '';
  while (!enough(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}
