import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GatewayServer, startCaddy, startEnvoy, startNginx } from '@tallygate/infra-local';
import {
  type GatewaySetup,
  caddyConfig,
  envoyGrpcConfig,
  envoyHttpConfig,
  nginxConfig,
} from '../gateways/gateway-configs';
import type { GateName } from '../scenario/stack';

type Setup = Omit<GatewaySetup, 'listenPort'>;

/** How a stack's gate agent is reached. */
export interface AgentAddresses {
  readonly url: string;
  /** Where ext_authz answers over gRPC, `host:port`; without it Envoy asks over HTTP. */
  readonly grpc?: string;
}

/** Real gateways in front of one upstream, asking one agent; each starts when it is first asked for. */
export class FrontGateways {
  private upstream: Promise<Server> | null = null;
  private readonly running = new Map<GateName, Promise<GatewayServer>>();

  constructor(private readonly agent: AgentAddresses) {}

  /**
   * Where to send requests of this gateway.
   * @throws MissingServerError where it is not installed; Error for one that never stands in front of a stack
   */
  async url(name: GateName): Promise<string> {
    const started = this.running.get(name) ?? this.start(name);
    this.running.set(name, started);
    return (await started).url;
  }

  async stop(): Promise<void> {
    const gateways = await Promise.allSettled(this.running.values());
    await Promise.all(gateways.map((gateway) => gateway.status === 'fulfilled' && gateway.value.stop()));
    const upstream = await this.upstream;
    upstream?.closeAllConnections();
    upstream?.close();
  }

  private async start(name: GateName): Promise<GatewayServer> {
    const start = KINDS[name];
    if (!start) throw new Error(`there is no gateway "${name}" here; there are ${FRONT_GATEWAYS.join(', ')}`);
    this.upstream ??= startUpstream();
    const { port } = (await this.upstream).address() as AddressInfo;
    const setup = { agentUrl: this.agent.url, upstreamUrl: `http://127.0.0.1:${port}`, passthrough: true };
    return start(setup, this.agent.grpc);
  }
}

const KINDS: Partial<Record<GateName, (setup: Setup, grpc: string | undefined) => Promise<GatewayServer>>> = {
  nginx: (setup) => startNginx({ config: ({ port }) => nginxConfig({ ...setup, listenPort: port }) }),
  caddy: (setup) => startCaddy({ caddyfile: ({ port }) => caddyConfig({ ...setup, listenPort: port }) }),
  envoy: (setup, grpc) =>
    startEnvoy({
      config: ({ port, adminPort }) =>
        grpc
          ? envoyGrpcConfig({ ...setup, agentUrl: grpc, listenPort: port, adminPort })
          : envoyHttpConfig({ ...setup, listenPort: port, adminPort }),
    }),
};

/** Gateways that may stand in front of a stack. */
export const FRONT_GATEWAYS = Object.keys(KINDS) as readonly GateName[];

async function startUpstream(): Promise<Server> {
  const server = createServer((_request, response) => response.end('{"served":true}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return server;
}
