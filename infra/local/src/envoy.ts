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

const ENVOY: GatewayKind = {
  name: 'envoy',
  command: () => findExecutable('envoy'),
  configFile: (text) => (text.trimStart().startsWith('{') ? 'envoy.json' : 'envoy.yaml'),
  // Hot restart shares memory by a fixed number, which a second instance would find taken.
  args: (configFile) => ['-c', configFile, '--disable-hot-restart', '--log-level', 'warning'],
  endSignal: 'KILL',
};

/** @throws MissingServerError, ServerStartError */
export function startEnvoy({ config, ...options }: EnvoyOptions): Promise<GatewayServer> {
  return startGateway(ENVOY, config, options);
}
