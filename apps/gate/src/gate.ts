import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GateClient } from '@tallygate/gate-sdk';
import type { GateOptions, Verdict } from '@tallygate/gate-sdk';
import { SequentialIds, SystemClock } from '@tallygate/kernel';
import { silentLog } from '@tallygate/platform';
import type { Log } from '@tallygate/platform';
import { randomBytes } from 'node:crypto';
import { AccessLogs } from './access-log/access-logs';
import { Decisions } from './decisions';
import { ExtAuthzServer } from './grpc/ext-authz-server';
import { AgentServer } from './http/agent-server';
import { Operations } from './http/operations';
import { AskReader } from './http/read-ask';
import { Routes } from './http/route';
import type { Route } from './http/route';
import { SealedDenials } from './http/sealed-denial';
import { gateMetrics } from './metrics';
import { ProxyServer } from './proxy/proxy-server';
import { usageOf } from './proxy/usage-of';

export interface StartGate {
  readonly client: GateOptions;
  readonly host?: string;
  /** 0 takes a free port; so for each of the three. */
  readonly port: number;
  /** Envoy's ext_authz over gRPC; not served when not given. */
  readonly grpcPort?: number;
  readonly proxy?: {
    readonly port: number;
    readonly upstream: string;
    /** True lets clients choose by `X-Tallygate-*`: for tests and demonstrations only. */
    readonly passthrough?: boolean;
  };
  readonly routes?: readonly Route[];
  /** Reports usage of what `/authorize` let through, for gateways that do not report it themselves. */
  readonly reportsAuthorized?: boolean;
  /** Access logs of the gateway to report usage from, to the client's sink. */
  readonly accessLogs?: {
    readonly paths: readonly string[];
    /** Folder for positions and for rejected lines. */
    readonly stateDir: string;
  };
  readonly internalSecret?: string;
  readonly log?: Log;
}

export interface RunningGate {
  readonly client: GateClient;
  readonly url: string;
  /** `host:port` of ext_authz over gRPC. */
  readonly grpcAddress: string | null;
  readonly proxyUrl: string | null;
  close(): Promise<void>;
}

/** The gate agent, in a process of its own or in somebody else's. */
export async function startGate(options: StartGate): Promise<RunningGate> {
  const { host = '127.0.0.1', log = silentLog } = options;
  const client = await GateClient.start({ log, ...options.client });
  const routes = new Routes(options.routes ?? []);
  const decisions = new Decisions(client);
  const reader = new AskReader(client, { tenantId: options.client.tenantId, routes });
  const clock = new SystemClock();
  const ids = new SequentialIds(() => clock.now() / 1_000, randomBytes);
  const shared = { client, decisions, reader, clock, ids, log, routes };
  const report = options.reportsAuthorized === true ? reporter(client, routes) : null;
  const accessLogs = accessLogsOf(options, log);
  const agent = new AgentServer({
    ...shared,
    sealed: new SealedDenials(options.client.credential),
    operations: new Operations({
      client,
      accessLogs,
      metrics: gateMetrics(client, decisions, accessLogs),
      internalSecret: options.internalSecret,
    }),
    onPass: report,
  });
  const url = await listen(agent.server, host, options.port);
  const grpc = await startExtAuthz(options, { ...shared, onPass: report });
  const proxy = await startProxy(options, shared, host);
  accessLogs?.start();
  return {
    client,
    url,
    grpcAddress: grpc === null ? null : `${host}:${grpc.port}`,
    proxyUrl: proxy?.url ?? null,
    close: async () => {
      grpc?.stop();
      await Promise.all([close(agent.server), proxy === null ? undefined : close(proxy.server)]);
      proxy?.close();
      await accessLogs?.stop();
      await client.close();
    },
  };
}

function accessLogsOf({ accessLogs, client }: StartGate, log: Log): AccessLogs | null {
  if (accessLogs === undefined) return null;
  if (client.usage === undefined) throw new TypeError('An access log needs a sink for its usage');
  const { sink } = client.usage;
  const { paths, stateDir } = accessLogs;
  return new AccessLogs(paths, { stateDir, sink, tenantId: client.tenantId, log });
}

type Reporter = (verdict: Verdict, request?: IncomingMessage) => void;

/** Others serve the request, so nothing is known of its answer; Envoy's own check is no request of a client. */
function reporter(client: GateClient, routes: Routes): Reporter {
  return (verdict, request) => {
    const template = routes.of(verdict.request.path ?? '/')?.usage;
    const asked = request ?? ({ headers: {}, url: verdict.request.path } as IncomingMessage);
    client.report(verdict, usageOf({ request: asked, incoming: null, verdict, template }));
  };
}

async function startExtAuthz(
  { grpcPort, host = '127.0.0.1' }: StartGate,
  parts: ConstructorParameters<typeof ExtAuthzServer>[0],
): Promise<ExtAuthzServer | null> {
  if (grpcPort === undefined) return null;
  const server = new ExtAuthzServer(parts);
  await server.start(host, grpcPort);
  return server;
}

interface RunningProxy {
  readonly server: Server;
  readonly url: string;
  close(): void;
}

async function startProxy(
  { proxy }: StartGate,
  shared: Omit<ConstructorParameters<typeof ProxyServer>[0], 'upstream' | 'stripsClientHeaders'>,
  host: string,
): Promise<RunningProxy | null> {
  if (proxy === undefined) return null;
  const { upstream, passthrough = false, port } = proxy;
  const server = new ProxyServer({ ...shared, upstream, stripsClientHeaders: !passthrough });
  const url = await listen(server.server, host, port);
  return { server: server.server, url, close: () => server.close() };
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

/** Idle connections are closed at once, those with a request on it when it is answered. */
async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
  await closed;
  clearTimeout(timer);
}

const CLOSE_MS = 5_000;
