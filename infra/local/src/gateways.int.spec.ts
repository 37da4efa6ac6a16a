import { proxyConfigs } from '../test/proxy-configs';
import { startUpstream, type Upstream } from '../test/upstream';
import { startCaddy } from './caddy';
import { startEnvoy } from './envoy';
import type { GatewayServer } from './gateway';
import { startHaproxy } from './haproxy';
import { startNginx } from './nginx';
import { waitUntil } from './wait-until';

const GATEWAYS: [string, (upstream: number) => Promise<GatewayServer>, () => Promise<GatewayServer>][] = [
  [
    'nginx',
    (to) => startNginx({ config: proxyConfigs.nginx(to) }),
    () => startNginx({ config: '#{{port}}\nnonsense;' }),
  ],
  [
    'caddy',
    (to) => startCaddy({ caddyfile: proxyConfigs.caddy(to) }),
    () => startCaddy({ caddyfile: ':{{port}} {\n nonsense\n}' }),
  ],
  [
    'haproxy',
    (to) => startHaproxy({ config: proxyConfigs.haproxy(to) }),
    () => startHaproxy({ config: '#{{port}}\nnonsense' }),
  ],
  [
    'envoy',
    (to) => startEnvoy({ config: proxyConfigs.envoy(to) }),
    () => startEnvoy({ config: 'nonsense: {{port}}' }),
  ],
];

describe.each(GATEWAYS)('%s', (name, start, startBroken) => {
  let upstream: Upstream;

  beforeAll(async () => {
    upstream = await startUpstream((request, response) => {
      let length = 0;
      request.on('data', (chunk: Buffer) => (length += chunk.length));
      request.on('end', () => response.writeHead(402, { 'x-length': String(length) }).end(request.url));
    });
  });
  afterAll(() => upstream.close());

  it('passes a request on and the answer back', async () => {
    const gateway = await start(upstream.port);
    const answer = await fetch(`${gateway.url}/v1/models?limit=2`);
    expect([answer.status, await answer.text()]).toEqual([402, '/v1/models?limit=2']);
    await gateway.stop();
  });

  it('passes on a body larger than its buffers', async () => {
    const gateway = await start(upstream.port);
    const answer = await fetch(gateway.url, { method: 'POST', body: 'x'.repeat(500_000) });
    expect(answer.headers.get('x-length')).toBe('500000');
    await gateway.stop();
  });

  it('runs beside another one', async () => {
    const gateways = await Promise.all([start(upstream.port), start(upstream.port)]);
    for (const { url } of gateways) expect((await fetch(url)).status).toBe(402);
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  });

  it('complains about its configuration in its own words', async () => {
    await expect(startBroken()).rejects.toThrow(
      new RegExp(`${name} ended with code \\d+ before[^]*nonsense`),
    );
  });
});

describe('A configuration', () => {
  it('may be a function and have files beside it', async () => {
    const gateway = await startCaddy({
      caddyfile: ({ port, dir }) => `http://127.0.0.1:${port} {\n root * ${dir}/pages\n file_server\n}`,
      files: { 'pages/index.txt': 'listening on {{port}}' },
    });
    expect(await (await fetch(`${gateway.url}/index.txt`)).text()).toBe(`listening on ${gateway.port}`);
    await gateway.stop();
  });

  it('must say where to listen', async () => {
    await expect(startNginx({ config: 'events {}' })).rejects.toThrow(
      /nginx does not mention port \d+: write {{port}}/,
    );
  });

  it('written for a production nginx works as it is', async () => {
    const production = `
user www-data;
worker_processes auto;
pid /run/nginx.pid;
daemon on;
events { worker_connections 64; }
http {
  log_format short '$status $uri';
  access_log /dev/stdout short;
  server { listen 127.0.0.1:{{port}}; return 204; }
}`;
    const gateway = await startNginx({ config: production });
    expect((await fetch(`${gateway.url}/here`)).status).toBe(204);
    // nginx answers first and logs then
    const logged = async (): Promise<boolean> => (await gateway.readLog()).includes('204 /here');
    expect(await waitUntil(logged, 5_000)).toBe(true);
    await gateway.stop();
  });
});
