import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@tallygate/platform';
import type { z } from 'zod';
import { appConfigs } from './app-configs';
import { ROOT, composeText, exampleSettings, interpolate, readCompose, settingNames } from './compose-file';
import type { ComposeFile, ComposeService } from './compose-file';

/** Processes that are no part of the real stack. */
const NOT_IN_COMPOSE = ['cli', 'standalone'];
/** Where the servers of others listen inside the network. */
const SERVER_PORTS: Readonly<Record<string, readonly string[]>> = {
  postgres: ['5432'],
  kafka: ['9092'],
  redis: ['6379'],
  mailpit: ['1025'],
};

const { given: example, left } = exampleSettings();
const settings = Object.fromEntries(
  Object.entries(example).map(([name, value]) => [name, value === '' ? `${name}-0123456789abcdef` : value]),
);
const compose: ComposeFile = readCompose(settings);
const services = Object.entries(compose.services);
const processes = services.filter(([, service]) => service.build !== undefined);
const everyName = services.map(([name]) => name);
const environmentOf = (name: string): Readonly<Record<string, string>> =>
  compose.services[name]?.environment ?? {};

let configs: ReadonlyMap<string, z.ZodObject>;
beforeAll(async () => void (configs = await appConfigs()));

const schemaOf = ({ build }: ComposeService): z.ZodObject | undefined => configs.get(build?.args.APP ?? '');

test('every process of the real stack is in the compose file', () => {
  const apps = [...configs.keys()].filter((app) => !NOT_IN_COMPOSE.includes(app));
  expect(processes.map(([, { build }]) => build?.args.APP).sort()).toEqual(apps);
});

describe.each(processes)('%s', (name, service) => {
  test('gets a complete and valid environment', () => {
    expect(() => loadConfig(schemaOf(service) as z.ZodType, environmentOf(name))).not.toThrow();
  });

  test('gets nothing that it does not read', () => {
    const known = ['NODE_OPTIONS', ...Object.keys(schemaOf(service)?.shape ?? {})];
    expect(Object.keys(environmentOf(name)).filter((variable) => !known.includes(variable))).toEqual([]);
  });

  test('listens where its container can be reached', () => {
    expect(environmentOf(name)).toMatchObject({ HOST: '0.0.0.0', PORT: '4000' });
  });

  test('is asked for its readiness', () => {
    expect(service.healthcheck?.test.join(' ')).toContain('http://127.0.0.1:4000/readyz');
  });

  test('runs without privileges and without writing to its image', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(service['privileged']).toBeUndefined();
  });

  test('is built by the one Dockerfile', () => {
    expect(service.build?.dockerfile).toBe('infra/docker/Dockerfile');
  });
});

test.each(processes)('%s looks for others where they listen', (name) => {
  const addresses = Object.entries(environmentOf(name)).flatMap(([variable, value]) =>
    addressesIn(value).map((address) => ({ variable, ...address })),
  );
  const wrong = addresses.filter(({ host, port }) => !portsOf(host).includes(port));
  expect(wrong).toEqual([]);
});

/** Every host:port of a value: in a URL, in a list of URLs, or bare. */
function addressesIn(value: string): { host: string; port: string }[] {
  return [...value.matchAll(/(?:^|[/@,=])([a-z][a-z0-9-]*):(\d+)(?=$|[/,])/g)].map(
    ([, host = '', port = '']) => ({
      host,
      port,
    }),
  );
}

function portsOf(host: string): readonly string[] {
  const { PORT, GRPC_PORT } = environmentOf(host);
  return SERVER_PORTS[host] ?? [PORT, GRPC_PORT].filter((port) => port !== undefined);
}

test.each([
  'DATABASE_URL',
  'DATABASE_ROLE_SECRET',
  'INTERNAL_SECRET',
  'ROOT_KEY',
  'KAFKA_BROKERS',
  'REDIS_URL',
  'SANDBOX_WEBHOOK_SECRET',
])('all processes that read %s read the same', (variable) => {
  const values = processes.flatMap(([name]) => environmentOf(name)[variable] ?? []);
  expect([values.length > 0, new Set(values).size]).toEqual([true, 1]);
});

test('the gate shows entitlement the secret that it expects', () => {
  const { GATE_SECRET } = environmentOf('entitlement');
  expect([GATE_SECRET?.length, environmentOf('gate')['GATE_CREDENTIAL']]).toEqual([
    expect.any(Number),
    GATE_SECRET,
  ]);
});

test('the test clock stops for every service and for the provider', async () => {
  const peers = addressesIn(environmentOf('billing')['CLOCK_PEERS'] ?? '').map(({ host }) => host);
  const withoutClock = ['billing', 'gate'];
  expect(peers.sort()).toEqual(
    processes
      .map(([name]) => name)
      .filter((name) => !withoutClock.includes(name))
      .sort(),
  );
});

describe.each(services)('%s', (_, service) => {
  test('names its image with a version', () => {
    expect(service.image).toMatch(/^[\w./-]+:[\w.-]*\d[\w.-]*$/);
  });

  test('has a healthcheck', () => {
    const [form, ...words] = service.healthcheck?.test ?? [];
    expect([form, words.length > 0]).toEqual(['CMD', true]);
    expect(words.filter((word) => typeof word !== 'string')).toEqual([]);
  });

  test('starts after what it needs is healthy', () => {
    for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(everyName).toContain(needed);
      expect(condition).toBe('service_healthy');
    }
  });

  test('publishes its ports on the loopback interface only', () => {
    expect((service.ports ?? []).filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
  });

  test('keeps data in volumes that are declared, and mounts nothing writable of the machine', () => {
    for (const volume of service.volumes ?? []) {
      const [source = '', , mode] = volume.split(':');
      if (source.startsWith('.')) expect(mode).toBe('ro');
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });
});

test('no two services publish one port', () => {
  const ports = services.flatMap(([, service]) => service.ports ?? []).map((port) => port.split(':')[1]);
  expect(new Set(ports).size).toBe(ports.length);
});

test('whoever reads a store waits for it', () => {
  const stores = { DATABASE_URL: 'postgres', KAFKA_BROKERS: 'kafka', REDIS_URL: 'redis' };
  for (const [name, service] of processes) {
    const needed = Object.entries(stores).flatMap(([variable, store]) =>
      variable in environmentOf(name) ? [store] : [],
    );
    expect({ name, waits: Object.keys(service.depends_on ?? {}) }).toEqual({
      name,
      waits: expect.arrayContaining(needed),
    });
  }
});

describe('nginx', () => {
  const read = (file: string) => readFileSync(join(ROOT, 'infra/gateways', file), 'utf8');
  const environment = environmentOf('nginx');

  test('is given every variable of its configuration', () => {
    const variables = [...read('nginx/nginx.conf.template').matchAll(/\$\{([A-Z_]+)\}/g)].map(
      ([, name]) => name ?? '',
    );
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(variables));
  });

  test('answers without the agent as the other gateways do', () => {
    expect(environment['UNAVAILABLE_BODY']).toBe(
      read('unavailable.json').trim().replace('${DECISION_ID}', '$request_id'),
    );
  });

  test('asks the agent where it listens', () => {
    expect(addressesIn(environment['GATE'] ?? '')).toEqual([
      { host: 'gate', port: environmentOf('gate')['PORT'] },
    ]);
  });
});

describe('settings', () => {
  test('.env.example names exactly what the compose file takes', () => {
    expect([...Object.keys(example), ...Object.keys(left)].sort()).toEqual(settingNames());
  });

  test('what may be left out is valid as the example shows it', () => {
    for (const [name, { environment }] of Object.entries(readCompose({ ...settings, ...left }).services)) {
      const schema = schemaOf(compose.services[name] ?? {}) as z.ZodType | undefined;
      if (schema !== undefined) expect(() => loadConfig(schema, environment ?? {})).not.toThrow();
    }
  });

  test('without a secret nothing starts', () => {
    const secrets = Object.entries(example).filter(([, value]) => value === '');
    expect(secrets.length).toBeGreaterThan(0);
    for (const [name] of secrets) {
      expect(() => interpolate(composeText(), { ...settings, [name]: '' })).toThrow(`${name} is not set`);
    }
  });

  test('no secret is written into the compose file', () => {
    const literal = /^\s*[A-Z_]*(?:SECRET|PASSWORD|ROOT_KEY|CREDENTIAL)[A-Z_]*:(?!\s*\$\{[A-Z_]+:\?)/m;
    expect(composeText()).not.toMatch(literal);
  });

  test('new-env fills every secret in with a value of its own, long enough', () => {
    const written = execFileSync(join(ROOT, 'infra/docker/new-env'), { encoding: 'utf8' });
    const filled = Object.keys(example)
      .filter((name) => example[name] === '')
      .map((name) => new RegExp(`^${name}=([0-9a-f]{48})$`, 'm').exec(written)?.[1]);
    expect(filled).not.toContain(undefined);
    expect(new Set(filled).size).toBe(filled.length);
  });
});

describe('the Dockerfile', () => {
  const dockerfile = readFileSync(join(ROOT, 'infra/docker/Dockerfile'), 'utf8');
  const instructions = dockerfile
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => ({ name: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1) }));
  const of = (name: string) => instructions.filter((one) => one.name === name).map((one) => one.rest);
  const finalStage = instructions.slice(instructions.map((one) => one.name).lastIndexOf('FROM'));

  test('starts from images with a version', () => {
    expect(of('FROM').filter((from) => !/^[\w./-]+:[\w.-]*\d[\w.-]*( AS \w+)?$/.test(from))).toEqual([]);
  });

  test('runs as somebody who is not root', () => {
    const users = finalStage.filter((one) => one.name === 'USER').map((one) => one.rest);
    expect(users.at(-1)).toMatch(/^(?!root|0)\w+$/);
  });

  test('adds nothing from the network but npm packages of the lockfile', () => {
    expect(of('ADD')).toEqual([]);
    expect(of('RUN').filter((run) => /\b(curl|wget|git clone|apt-get|npm install|npx)\b/.test(run))).toEqual(
      [],
    );
    expect(of('RUN').filter((run) => /\bnpm ci\b/.test(run))).toHaveLength(2);
  });

  test('leaves development packages and sources behind', () => {
    expect(finalStage.filter((one) => one.name === 'COPY').map((one) => one.rest.split(' ')[0])).toEqual([
      '--from=dependencies',
      '--from=build',
      '--from=build',
    ]);
    expect(dockerfile).toContain('npm ci --omit=dev');
  });

  test('says how to know that it is ready, and lets Node have the signals', () => {
    expect(finalStage.find((one) => one.name === 'HEALTHCHECK')?.rest).toContain('/readyz');
    expect(finalStage.find((one) => one.name === 'CMD')?.rest).toMatch(/^\["node"/);
  });

  test('carries no secret', () => {
    expect(dockerfile).not.toMatch(/SECRET|PASSWORD|_KEY|TOKEN/);
    const ignored = readFileSync(join(ROOT, 'infra/docker/Dockerfile.dockerignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['.env', '.git', 'node_modules', '.tallygate']));
  });
});
