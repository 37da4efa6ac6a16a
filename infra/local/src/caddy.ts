import { findExecutable } from './executables';
import {
  startGateway,
  type GatewayConfig,
  type GatewayKind,
  type GatewayOptions,
  type GatewayServer,
} from './gateway';

export interface CaddyOptions extends GatewayOptions {
  /** A whole Caddyfile. A site `http://127.0.0.1:{{port}}` gets no certificate; the admin interface is on adminPort. */
  readonly caddyfile: GatewayConfig;
}

const CADDY: GatewayKind = {
  name: 'caddy',
  command: () => findExecutable('caddy'),
  configFile: () => 'Caddyfile',
  args: (configFile) => ['run', '--config', configFile, '--adapter', 'caddyfile'],
  endSignal: 'KILL',
  // Its data, its saved configuration and its admin port (2019) are shared by all instances of a user otherwise.
  env: ({ dir, adminPort }) => ({
    HOME: dir,
    XDG_DATA_HOME: `${dir}/data`,
    XDG_CONFIG_HOME: `${dir}/config`,
    CADDY_ADMIN: `127.0.0.1:${adminPort}`,
  }),
};

/** @throws MissingServerError, ServerStartError */
export function startCaddy({ caddyfile, ...options }: CaddyOptions): Promise<GatewayServer> {
  return startGateway(CADDY, caddyfile, options);
}
