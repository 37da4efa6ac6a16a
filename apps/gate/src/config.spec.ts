import { ConfigError, loadConfig } from '@tallygate/platform';
import { gateConfig } from './config';

const GOOD = { GATE_ID: 'gate-1', ENTITLEMENT_GRPC_URL: 'entitlement:4443', GATE_CREDENTIAL: 'c'.repeat(32) };
const LOG = {
  ACCESS_LOG: '/var/log/nginx/usage.log, /b.log',
  ACCESS_LOG_STATE: '/var/lib/gate',
  USAGE: 'kafka',
  KAFKA_BROKERS: 'kafka:9092',
};

function problems(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(gateConfig, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ variable }) => variable);
    throw error;
  }
}

describe('the gate’s configuration', () => {
  it('has a default for everything but the gate’s name, the service and a credential', () => {
    expect(loadConfig(gateConfig, GOOD)).toMatchObject({
      PORT: 4001,
      USAGE: 'none',
      GATE_COUNT: 1,
      PROXY_ROUTES: [],
    });
  });

  it('reads routes, and gives each its defaults', () => {
    const routes = '[{"prefix":"/v1","feature":"completions","units_header":"X-Units"},{"prefix":"/"}]';
    expect(loadConfig(gateConfig, { ...GOOD, PROXY_ROUTES: routes }).PROXY_ROUTES).toEqual([
      { prefix: '/v1', feature: ['completions'], units_header: 'x-units' },
      { prefix: '/', feature: [] },
    ]);
  });

  it('reads several access logs', () => {
    expect(loadConfig(gateConfig, { ...GOOD, ...LOG })).toMatchObject({
      ACCESS_LOG: ['/var/log/nginx/usage.log', '/b.log'],
    });
  });

  it.each([
    [{ GATE_ID: undefined }, ['GATE_ID']],
    [{ GATE_ID: 'two words', PORT: '70000' }, ['PORT', 'GATE_ID']],
    [{ ENTITLEMENT_GRPC_URL: undefined }, ['ENTITLEMENT_GRPC_URL']],
    [{ ENTITLEMENT_GRPC_URL: 'http://entitlement' }, ['ENTITLEMENT_GRPC_URL']],
    [{ GATE_CREDENTIAL: undefined }, ['GATE_CREDENTIAL']],
    [{ GATE_API_KEY: 'k'.repeat(32) }, ['GATE_CREDENTIAL']],
    [{ USAGE: 'kafka' }, ['KAFKA_BROKERS']],
    [{ USAGE: 'http' }, ['INGESTION_URL', 'GATE_API_KEY']],
    [{ USAGE: 'carrier pigeon' }, ['USAGE']],
    [{ PROXY_ROUTES: 'not json' }, ['PROXY_ROUTES']],
    [{ PROXY_ROUTES: '[{"prefix":"v1"}]' }, ['PROXY_ROUTES']],
    [{ ACCESS_LOG: '/l' }, ['ACCESS_LOG_STATE', 'USAGE']],
    [{ ...LOG, ACCESS_LOG: 'usage.log' }, ['ACCESS_LOG']],
    [{ ...LOG, USAGE_AUTHORIZED: 'true' }, ['USAGE_AUTHORIZED']],
    [{ ...LOG, PROXY_UPSTREAM: 'http://backend' }, ['PROXY_UPSTREAM']],
    [{ GATE_COUNT: '0' }, ['GATE_COUNT']],
    [{ GATE_TENANT: 'acme' }, ['GATE_TENANT']],
    [
      { GATE_ID: undefined, ENTITLEMENT_GRPC_URL: undefined, GATE_CREDENTIAL: undefined, USAGE: 'kafka' },
      ['GATE_ID', 'ENTITLEMENT_GRPC_URL', 'GATE_CREDENTIAL', 'KAFKA_BROKERS'],
    ],
  ])('names what is wrong with %j', (changes, variables) => {
    expect(problems({ ...GOOD, ...changes })).toEqual(variables);
  });
});
