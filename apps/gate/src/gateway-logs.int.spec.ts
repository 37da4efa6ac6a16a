import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEnvoy, startNginx, waitUntil } from '@tallygate/infra-local';
import type { GatewayServer } from '@tallygate/infra-local';
import { envoyGrpcConfig, envoyHttpConfig, nginxConfig } from '@tallygate/testing';
import { CapturedUsage } from './testing/captured-usage';
import { CASES } from './testing/every-reason';
import { Upstream, call, startRig } from './testing/rig';
import type { Rig } from './testing/rig';

const NAMES = ['nginx', 'Envoy over gRPC', 'Envoy over HTTP'] as const;
const passing = CASES.filter(({ status }) => status === 200).find(({ reason }) => reason === 'ok');
const headers = passing?.headers ?? {};
const refused = { ...headers, authorization: 'Bearer made-up' };

let dir: string;
let upstream: Upstream;
let rig: Rig;
const usage = new CapturedUsage();
const gateways = new Map<string, GatewayServer>();
const logOf = (name: string): string => join(dir, `${name.replaceAll(' ', '-')}.log`);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gateway-logs-'));
  upstream = await Upstream.start();
  rig = await startRig({
    client: { gateId: 'gate-1', credential: 'a-credential-of-a-test', usage: { sink: usage } },
    accessLogs: { paths: NAMES.map(logOf), stateDir: join(dir, 'state') },
  });
  rig.feed.put(...(passing?.entries ?? []));
  const setup = { upstreamUrl: upstream.url, passthrough: true };
  const agentUrl = rig.gate.url;
  const usageLog = (name: string) => ({ path: logOf(name), gateway: name });
  gateways.set(
    'nginx',
    await startNginx({
      config: ({ port }) =>
        nginxConfig({ ...setup, agentUrl, listenPort: port, usageLog: usageLog('nginx') }),
    }),
  );
  gateways.set(
    'Envoy over gRPC',
    await startEnvoy({
      config: ({ port, adminPort }) =>
        envoyGrpcConfig({
          ...setup,
          agentUrl: rig.gate.grpcAddress ?? '',
          listenPort: port,
          adminPort,
          usageLog: usageLog('Envoy over gRPC'),
        }),
    }),
  );
  gateways.set(
    'Envoy over HTTP',
    await startEnvoy({
      config: ({ port, adminPort }) =>
        envoyHttpConfig({
          ...setup,
          agentUrl,
          listenPort: port,
          adminPort,
          usageLog: usageLog('Envoy over HTTP'),
        }),
    }),
  );
});
afterAll(async () => {
  await Promise.all([...gateways.values()].map((gateway) => gateway.stop()));
  await rig?.gate.close();
  await upstream?.stop();
  await rm(dir, { recursive: true, force: true });
});

describe.each(NAMES.map((name) => [name]))('the usage log of %s', (name) => {
  const url = (): string => `${(gateways.get(name) as GatewayServer).url}/v1/completions?key=hidden`;
  const logged = () => usage.taken.filter(({ event }) => event.source === name);

  it('has one line for each request that passed, with what the backend reported; none for the refused', async () => {
    upstream.headers = { 'x-usage-input-tokens': '12', 'x-usage-model': 'm "1"\\' };
    const passed = await call(url(), { headers });
    upstream.headers = {};
    upstream.status = 500;
    await call(url(), { headers, method: 'POST', body: 'question' });
    const failed = upstream.requests.at(-1)?.headers['billing-gate-decision'];
    upstream.status = 200;
    expect((await call(url(), { headers: refused })).status).toBe(401);
    expect((await call(url(), { headers: { ...headers, 'x-tallygate-preflight': 'true' } })).status).toBe(
      200,
    );
    expect(await waitUntil(() => logged().length >= 2, 15_000)).toBe(true);
    expect(logged().map(({ tenantId }) => tenantId)).toEqual([passing?.tenantId, passing?.tenantId]);
    const [first, second] = logged().map(({ event }) => event);
    expect(first).toMatchObject({
      specversion: '1.0',
      accesslog: '1',
      id: passed.headers['billing-gate-decision'],
      type: 'gate.request',
      subject: 'acme-1',
      data: { feature: 'completions', method: 'GET', input_tokens: '12', model: 'm "1"\\' },
    });
    expect(first?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}(?:Z|[+-]\d\d:\d\d)$/);
    // nginx counts what it sent, with the frames of a chunked answer.
    const bytes = name === 'nginx' ? '16' : '6';
    expect([first?.data['status'], first?.data['bytes_out']].map(String)).toEqual(['200', bytes]);
    expect(second?.id).toBe(failed);
    expect(String(second?.data['status'])).toBe('500');
    expect(await readFile(logOf(name), 'utf8')).not.toContain('hidden');
  });
});

it('counts what it read, and says so', async () => {
  const metrics = await call(`${rig.gate.url}/metrics`);
  expect(metrics.text).toMatch(/tallygate_gate_access_log_lines_total\{outcome="reported"\} 6/);
  expect((await call(`${rig.gate.url}/state`)).body).toMatchObject({
    access_log: { reported: 6, rejected: 0, unbilled: 0, gaps: 0 },
  });
});
