import { findExecutable } from './executables';
import {
  startGateway,
  type GatewayConfig,
  type GatewayKind,
  type GatewayOptions,
  type GatewayServer,
} from './gateway';

export interface EnvoyOptions extends GatewayOptions {
  /** A whole bootstrap configuration, YAML or JSON. */
  readonly config: GatewayConfig;
}

const FLUSH = ['--file-flush-interval-msec', '100'];

const ENVOY: GatewayKind = {
  name: 'envoy',
  command: () => findExecutable('envoy'),
  configFile: (text) => (text.trimStart().startsWith('{') ? 'envoy.json' : 'envoy.yaml'),
  // Hot restart shares memory by a fixed number, which a second instance would find taken.
  // Access logs are there at once, where 10 s is usual.
  args: (configFile) => ['-c', configFile, ...['--disable-hot-restart', '--log-level', 'warning'], ...FLUSH],
  endSignal: 'KILL',
};

/** @throws MissingServerError, ServerStartError */
export function startEnvoy({ config, ...options }: EnvoyOptions): Promise<GatewayServer> {
  return startGateway(ENVOY, config, options);
}
