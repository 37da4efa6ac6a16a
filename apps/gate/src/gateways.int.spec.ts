import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { DENIAL_REASONS, PASS_REASONS } from '@tallygate/contracts';
import { freePort, startCaddy, startEnvoy, startNginx } from '@tallygate/infra-local';
import type { GatewayServer } from '@tallygate/infra-local';
import { caddyConfig, envoyGrpcConfig, envoyHttpConfig, nginxConfig } from '@tallygate/testing';
import type { GatewaySetup } from '@tallygate/testing';
import { MemoryFeed } from '@tallygate/gate-sdk';
import { SystemClock } from '@tallygate/kernel';
import { startGate } from './gate';
import { CASES } from './testing/every-reason';
import type { Case } from './testing/every-reason';
import { INTERNAL_SECRET, NobodyHasIt, Upstream, call, startRig } from './testing/rig';
import type { Answered, Rig } from './testing/rig';

interface Gateway {
  readonly name: string;
  start(setup: Omit<GatewaySetup, 'listenPort'>, grpcAddress: string): Promise<GatewayServer>;
}

const GATEWAYS: readonly Gateway[] = [
  {
    name: 'nginx',
    start: (setup) => startNginx({ config: ({ port }) => nginxConfig({ ...setup, listenPort: port }) }),
  },
  {
    name: 'Caddy',
    start: (setup) => startCaddy({ caddyfile: ({ port }) => caddyConfig({ ...setup, listenPort: port }) }),
  },
  {
    name: 'Envoy over gRPC',
    start: (setup, agentUrl) =>
      startEnvoy({
        config: ({ port, adminPort }) => envoyGrpcConfig({ ...setup, agentUrl, listenPort: port, adminPort }),
      }),
  },
  {
    name: 'Envoy over HTTP',
    start: (setup) =>
      startEnvoy({
        config: ({ port, adminPort }) => envoyHttpConfig({ ...setup, listenPort: port, adminPort }),
      }),
  },
];

let rig: Rig;
let upstream: Upstream;
let ports: { readonly http: number; readonly grpc: number };
const open = new Map<string, GatewayServer>();
const closed = new Map<string, GatewayServer>();

beforeAll(async () => {
  upstream = await Upstream.start();
  ports = { http: await freePort(), grpc: await freePort() };
  rig = await startRig({ port: ports.http, grpcPort: ports.grpc });
  rig.feed.put(...CASES.flatMap(({ entries }) => entries));
  for (const { before } of CASES) {
    if (before !== undefined)
      expect((await call(`${rig.gate.url}/authorize`, { headers: before })).status).toBe(200);
  }
  const setup = { agentUrl: rig.gate.url, upstreamUrl: upstream.url };
  const ok = CASES.find(({ reason }) => reason === 'ok');
  const grpc = rig.gate.grpcAddress ?? '';
  for (const { name, start } of GATEWAYS) {
    open.set(name, await start({ ...setup, passthrough: true }, grpc));
    closed.set(
      name,
      await start({ ...setup, passthrough: false, feature: 'completions', tenant: ok?.tenantId }, grpc),
    );
  }
});
afterAll(async () => {
  await Promise.all([...open.values(), ...closed.values()].map((gateway) => gateway.stop()));
  await rig?.gate.close();
  await upstream?.stop();
});

const COMPARED = [
  'billing-gate-reason',
  'billing-gate-suspend-at',
  'x-payment-required-reason',
  'cache-control',
  'link',
  'retry-after',
  'ratelimit-policy',
  'ratelimit',
  'content-type',
];

/** What must be the same however the agent was asked; seconds that run down are left out. */
function comparable({ status, headers, body }: Answered) {
  const { decision_id: _, as_of: __, instance: ___, reset_at: ____, ...rest } = body ?? {};
  const kept = COMPARED.filter((name) => status >= 400 || name.startsWith('billing-'));
  const shown = kept.map((name) => [name, headers[name]?.replace(/^\d+$|(?<=;t=)\d+/, 'seconds')]);
  return { status, headers: Object.fromEntries(shown) as object, body: body === null ? null : rest };
}

const asked = (url: string, { headers }: Case): Promise<Answered> =>
  call(`${url}/v1/completions?key=hidden`, { headers });

it('has a case for every reason, but for those of a gate that hears nothing', () => {
  const missing = new Set<string>([...DENIAL_REASONS, ...PASS_REASONS]);
  for (const { reason } of CASES) missing.delete(reason);
  expect([...missing]).toEqual(['entitlement_unavailable', 'stale_allow']);
});

describe('the agent', () => {
  it.each(CASES.map((each) => [each.reason, each.status, each] as const))(
    '%s is %i',
    async (reason, status, each) => {
      const answer = await call(`${rig.gate.url}/authorize`, { headers: each.headers });
      expect([answer.status, answer.headers['billing-gate-reason']]).toEqual([status, reason]);
      if (status >= 400) expect(answer.body).toMatchObject({ status, code: reason.toUpperCase() });
      expect(answer.headers['x-payment-required-reason']).toBe(status === 402 ? reason : undefined);
      expect(answer.headers['retry-after'] !== undefined).toBe(status === 429 || status === 503);
    },
  );
});

describe.each(GATEWAYS.map(({ name }) => [name]))('%s', (name) => {
  const gateway = () => open.get(name) as GatewayServer;

  it.each(CASES.map((each) => [each.reason, each] as const))('says %s as the agent does', async (_, each) => {
    const before = upstream.requests.length;
    const agent = await call(`${rig.gate.url}/authorize`, { headers: each.headers });
    const answer = await asked(gateway().url, each);
    expect(comparable(answer)).toEqual(comparable(agent));
    expect(answer.headers['billing-gate-decision']).toMatch(/^[0-9a-f-]{36}$/);
    if (answer.status < 400) {
      expect(answer.text).toBe('served');
      expect(upstream.requests.at(-1)?.headers['billing-gate-reason']).toBe(each.reason);
    } else {
      expect(answer.body).toMatchObject({ decision_id: answer.headers['billing-gate-decision'] });
      expect(answer.body?.['instance']).toBe('/v1/completions');
    }
    expect(upstream.requests.length - before).toBe(answer.status < 400 ? 1 : 0);
  });

  it('believes nothing that a client says under the gate’s names', async () => {
    const url = (closed.get(name) as GatewayServer).url;
    const [ok, unpaid] = ['ok', 'credit_exhausted'].map((reason) =>
      CASES.find((each) => each.reason === reason),
    );
    const headers = {
      authorization: 'Bearer secret',
      'x-tallygate-tenant': unpaid?.tenantId ?? '',
      'x-tallygate-feature': 'nothing',
      'x-tallygate-units': '1000000',
      'x-tallygate-subject': 'somebody-else',
      'billing-gate-reason': 'override',
    };
    const answer = await call(`${url}/v1`, { headers });
    expect([answer.status, answer.headers['billing-gate-reason']]).toEqual([200, 'ok']);
    const reached = upstream.requests.at(-1)?.headers ?? {};
    expect(reached['billing-gate-reason']).toBe('ok');
    expect(Object.keys(reached).filter((header) => header.startsWith('x-tallygate-'))).toEqual([]);
    expect((await call(`${url}/v1`, { headers: { ...headers, authorization: '' } })).status).toBe(401);
    expect(ok).toBeDefined();
  });

  it('passes on a body, and the backend’s own refusals as they are', async () => {
    const ok = CASES.find(({ reason }) => reason === 'ok') as Case;
    upstream.status = 403;
    const answer = await call(`${gateway().url}/v1`, {
      method: 'POST',
      headers: ok.headers,
      body: 'x'.repeat(100_000),
    });
    expect([answer.status, answer.text]).toEqual([403, 'served']);
    expect(upstream.requests.at(-1)?.body).toHaveLength(100_000);
    upstream.status = 500;
    expect((await asked(gateway().url, ok)).text).toBe('served');
    upstream.status = 200;
  });
});

describe('a client that speaks gRPC through Envoy', () => {
  const status = async (reason: string): Promise<ServiceError> => {
    const each = CASES.find((one) => one.reason === reason) as Case;
    const client = new Client(
      (open.get('Envoy over gRPC') as GatewayServer).url.slice(7),
      credentials.createInsecure(),
    );
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(each.headers)) metadata.set(name, value);
    const asIs = (value: Buffer): Buffer => value;
    return new Promise<ServiceError>((resolve) => {
      client.makeUnaryRequest('/pkg.Service/Call', asIs, asIs, Buffer.alloc(0), metadata, (error) => {
        client.close();
        resolve(error as ServiceError);
      });
    });
  };

  it.each([
    ['credential_missing', 16, false],
    ['feature_forbidden', 7, false],
    ['credit_exhausted', 8, false],
    ['rate_limited', 8, true],
    ['entitlement_stale', 14, true],
  ])('gets %s as status %i with its details', async (reason, code, retries) => {
    const error = await status(reason);
    expect([error.code, error.metadata.get('billing-gate-reason')]).toEqual([code, [reason]]);
    const details = String(error.metadata.get('grpc-status-details-bin')[0]);
    expect(details).toContain('type.googleapis.com/google.rpc.ErrorInfo');
    expect(details).toContain(reason.toUpperCase());
    expect(details.includes('google.rpc.RetryInfo')).toBe(retries);
    expect(error.details).not.toContain('{');
  });
});

describe('a gate that is cut off', () => {
  const each = CASES.find(({ reason }) => reason === 'ok') as Case;
  const internal = (path: string, body: object = {}) =>
    call(`${rig.gate.url}/internal/${path}`, {
      method: 'POST',
      headers: { 'x-tallygate-internal': INTERNAL_SECRET },
      body: JSON.stringify(body),
    });
  const moveTo = (now: string) => internal('clock/settle', { tenantId: each.tenantId, now });

  beforeAll(async () => {
    rig.feed.put({
      tenantId: each.tenantId,
      kind: 'clock',
      key: 'clock',
      payload: { now: '2030-01-01T00:00:00Z' },
    });
    await internal('feed/cut');
  });
  afterAll(async () => {
    await internal('feed/join');
    rig.feed.put({ tenantId: each.tenantId, kind: 'clock', key: 'clock', payload: null });
  });

  it.each(GATEWAYS.map(({ name }) => [name]))('marks what it lets pass as stale, at %s', async (name) => {
    await moveTo('2030-01-01T00:00:05Z');
    const answer = await asked((open.get(name) as GatewayServer).url, each);
    expect([answer.status, answer.headers['billing-gate-reason']]).toEqual([200, 'stale_allow']);
  });

  it.each(GATEWAYS.map(({ name }) => [name]))('says 503 and not 402 after a minute, at %s', async (name) => {
    await moveTo('2030-01-01T00:01:01Z');
    const answer = await asked((open.get(name) as GatewayServer).url, each);
    expect([answer.status, answer.body?.['code']]).toEqual([503, 'ENTITLEMENT_STALE']);
  });
});

describe('when the agent is gone', () => {
  beforeAll(() => rig.gate.close());

  it.each(GATEWAYS.map(({ name }) => [name]))('%s answers 503 with the body that says so', async (name) => {
    const before = upstream.requests.length;
    const answer = await asked((open.get(name) as GatewayServer).url, CASES.at(-1) as Case);
    expect(answer.status).toBe(503);
    expect(answer.headers).toMatchObject({
      'billing-gate-reason': 'entitlement_unavailable',
      'content-type': expect.stringContaining('application/problem+json') as string,
      'cache-control': 'no-store',
      'retry-after': '5',
    });
    expect(answer.body).toMatchObject({
      code: 'ENTITLEMENT_UNAVAILABLE',
      status: 503,
      action: 'retry',
      decision_id: answer.headers['billing-gate-decision'],
    });
    expect(upstream.requests.length).toBe(before);
  });

  it.each(GATEWAYS.map(({ name }) => [name]))(
    '%s says of itself what an agent without a feed says',
    async (name) => {
      const feed = new MemoryFeed(new SystemClock());
      feed.stop();
      const away = await asked((open.get(name) as GatewayServer).url, CASES.at(-1) as Case);
      const gate = await startGate({
        port: ports.http,
        grpcPort: ports.grpc,
        internalSecret: INTERNAL_SECRET,
        client: {
          gateId: 'g',
          credential: 'a-credential-of-a-test',
          transports: [feed],
          liveCheck: new NobodyHasIt(),
        },
      });
      try {
        const agent = await call(`${gate.url}/authorize`, { headers: { 'x-tallygate-subject': 'acme-1' } });
        expect(comparable(away)).toEqual(comparable(agent));
      } finally {
        await gate.close();
      }
    },
  );
});
