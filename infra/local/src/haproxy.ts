import { findExecutable } from './executables';
import {
  startGateway,
  type GatewayConfig,
  type GatewayKind,
  type GatewayOptions,
  type GatewayServer,
} from './gateway';

export interface HaproxyOptions extends GatewayOptions {
  /** A whole haproxy.cfg. */
  readonly config: GatewayConfig;
}

const HAPROXY: GatewayKind = {
  name: 'haproxy',
  command: () => findExecutable('haproxy'),
  configFile: () => 'haproxy.cfg',
  args: (configFile) => ['-db', '-f', configFile],
  endSignal: 'KILL',
};

/** @throws MissingServerError, ServerStartError */
export function startHaproxy({ config, ...options }: HaproxyOptions): Promise<GatewayServer> {
  return startGateway(HAPROXY, config, options);
}
