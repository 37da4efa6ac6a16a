import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type GatewayServer,
  MissingServerError,
  startCaddy,
  startEnvoy,
  startNginx,
} from '@tallygate/infra-local';
import { type GatewaySetup, caddyConfig, envoyGrpcConfig, nginxConfig } from '../gateways/gateway-configs';
import type { GateName } from '../scenario/stack';

type Setup = Omit<GatewaySetup, 'listenPort'>;

/** Real gateways in front of one upstream, asking one agent; those that this machine has. */
export class FrontGateways {
  private constructor(
    private readonly upstream: Server,
    private readonly running: ReadonlyMap<GateName, GatewayServer>,
  ) {}

  /** @param agent the gate agent's address over HTTP, and of its ext_authz over gRPC */
  static async start(agent: { readonly url: string; readonly grpc: string }): Promise<FrontGateways> {
    const upstream = await startUpstream();
    const { port } = upstream.address() as AddressInfo;
    const setup = { agentUrl: agent.url, upstreamUrl: `http://127.0.0.1:${port}`, passthrough: true };
    const running = new Map<GateName, GatewayServer>();
    for (const [name, start] of Object.entries(KINDS) as [GateName, (typeof KINDS)['nginx']][]) {
      const gateway = await whereInstalled(start(setup, agent.grpc));
      if (gateway) running.set(name, gateway);
    }
    return new FrontGateways(upstream, running);
  }

  get urls(): Partial<Record<GateName, string>> {
    return Object.fromEntries([...this.running].map(([name, { url }]) => [name, url]));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running.values()].map((gateway) => gateway.stop()));
    this.upstream.closeAllConnections();
    this.upstream.close();
  }
}

const KINDS = {
  nginx: (setup: Setup, _grpc: string) =>
    startNginx({ config: ({ port }) => nginxConfig({ ...setup, listenPort: port }) }),
  caddy: (setup: Setup, _grpc: string) =>
    startCaddy({ caddyfile: ({ port }) => caddyConfig({ ...setup, listenPort: port }) }),
  envoy: (setup: Setup, grpc: string) =>
    startEnvoy({
      config: ({ port, adminPort }) =>
        envoyGrpcConfig({ ...setup, agentUrl: grpc, listenPort: port, adminPort }),
    }),
};

/** Null where the gateway is not installed: a stack does without it, and says so by not listing it. */
async function whereInstalled(starting: Promise<GatewayServer>): Promise<GatewayServer | null> {
  try {
    return await starting;
  } catch (error) {
    if (error instanceof MissingServerError) return null;
    throw error;
  }
}

async function startUpstream(): Promise<Server> {
  const server = createServer((_request, response) => response.end('{"served":true}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return server;
}
