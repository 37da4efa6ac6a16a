import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface GatewaySetup {
  /** Where the gateway listens, on 127.0.0.1. */
  readonly listenPort: number;
  /** `http://host:port` of the gate agent; of its ext_authz over gRPC, `host:port`. */
  readonly agentUrl: string;
  readonly upstreamUrl: string;
  /**
   * True lets the client choose tenant, subject, feature, units and the rest by `X-Tallygate-*`: for scenarios, which
   * speak for the gateway. Never where strangers call.
   */
  readonly passthrough: boolean;
  /** What every request asks about, without passthrough. */
  readonly feature?: string;
  readonly tenant?: string;
  /** Where nginx and Envoy write usage, and the name that they give themselves as its source; nowhere without. */
  readonly usageLog?: { readonly path: string; readonly gateway: string };
  /** Envoy's admin interface. */
  readonly adminPort?: number;
}

const FIELDS = ['TENANT', 'SUBJECT', 'FEATURE', 'UNITS', 'MAX_PRICE', 'OPEN', 'PREFLIGHT'] as const;
type Field = (typeof FIELDS)[number];

/** The shipped configurations with their variables filled in: what is tested is what is shipped. */
export function nginxConfig(setup: GatewaySetup): string {
  return fill('nginx/nginx.conf.template', {
    ...fields(setup, (field) => `$http_x_tallygate_${field.toLowerCase()}`),
    LISTEN: `127.0.0.1:${setup.listenPort}`,
    GATE: hostOf(setup.agentUrl),
    UPSTREAM: hostOf(setup.upstreamUrl),
    UNAVAILABLE_BODY: unavailableBody('$request_id'),
    ...usageLog(setup),
  });
}

export function caddyConfig(setup: GatewaySetup): string {
  return fill('caddy/Caddyfile.template', {
    ...fields(setup, (field) => `{http.request.header.X-Tallygate-${field.replace('_', '-')}}`),
    LISTEN: `http://127.0.0.1:${setup.listenPort}`,
    GATE: hostOf(setup.agentUrl),
    UPSTREAM: hostOf(setup.upstreamUrl),
    UNAVAILABLE_BODY: unavailableBody('{http.request.uuid}'),
  });
}

export function envoyGrpcConfig(setup: GatewaySetup): string {
  const { feature = '', tenant = '', passthrough } = setup;
  const context = passthrough ? {} : given({ feature, tenant });
  const stripped = passthrough ? [] : STRIP;
  return fill('envoy/envoy-grpc.yaml.template', {
    ...envoyAddresses(setup),
    CONTEXT: JSON.stringify(context),
    STRIPPED: JSON.stringify(stripped),
  });
}

export function envoyHttpConfig(setup: GatewaySetup): string {
  const { feature = '', tenant = '', passthrough } = setup;
  const set = Object.entries(given({ feature, tenant })).map(([name, value]) => ({
    append: {
      header: { key: `x-tallygate-${name}`, value },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    },
  }));
  return fill('envoy/envoy-http.yaml.template', {
    ...envoyAddresses(setup),
    STRIPPED_AND_SET: JSON.stringify(passthrough ? [] : [...STRIP, ...set]),
  });
}

const STRIP = ['x-tallygate-', 'billing-gate-'].map((prefix) => ({
  remove_on_match: { key_matcher: { prefix } },
}));

function usageLog({ usageLog: log }: GatewaySetup): { readonly USAGE_LOG: string; readonly GATEWAY: string } {
  return { USAGE_LOG: log?.path ?? '/dev/null', GATEWAY: log?.gateway ?? '' };
}

function envoyAddresses(setup: GatewaySetup) {
  const { listenPort, adminPort = 0, agentUrl, upstreamUrl } = setup;
  const [gateHost = '', gatePort = ''] = hostOf(agentUrl).split(':');
  const [upstreamHost = '', upstreamPort = ''] = hostOf(upstreamUrl).split(':');
  return {
    LISTEN_HOST: '127.0.0.1',
    LISTEN_PORT: String(listenPort),
    ADMIN_PORT: String(adminPort),
    GATE_HOST: gateHost,
    GATE_PORT: gatePort,
    UPSTREAM_HOST: upstreamHost,
    UPSTREAM_PORT: upstreamPort,
    UNAVAILABLE_BODY: unavailableBody('%REQ(X-REQUEST-ID)%'),
    ...usageLog(setup),
  };
}

/** What the gateway answers by itself when the agent does not; the agent would say the same. */
function unavailableBody(decisionId: string): string {
  return readFileSync(join(gatewaysDir(), 'unavailable.json'), 'utf8')
    .trim()
    .replace('${DECISION_ID}', decisionId);
}

function fields(
  { passthrough, feature = '', tenant = '' }: GatewaySetup,
  sent: (field: Field) => string,
): Record<Field, string> {
  const fixed: Partial<Record<Field, string>> = { FEATURE: feature, TENANT: tenant };
  return Object.fromEntries(
    FIELDS.map((field) => [field, passthrough ? sent(field) : (fixed[field] ?? '')]),
  ) as Record<Field, string>;
}

function given(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== ''));
}

function hostOf(url: string): string {
  return url.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '');
}

function fill(template: string, variables: Readonly<Record<string, string>>): string {
  const text = readFileSync(join(gatewaysDir(), template), 'utf8');
  return text.replace(/^#.*\n/gm, '').replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`${template} has a variable that nobody fills: ${name}`);
    return value;
  });
}

/** Found upwards, so that it is the same folder from the sources and from the build. */
function gatewaysDir(): string {
  for (let dir = __dirname; dir !== dirname(dir); dir = dirname(dir)) {
    const found = join(dir, 'infra/gateways');
    if (existsSync(join(found, 'unavailable.json'))) return found;
  }
  throw new Error('infra/gateways is not above this file');
}
