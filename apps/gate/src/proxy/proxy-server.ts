import { Agent as HttpAgent, createServer, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { httpAnswer, verdictHeaders } from '@tallygate/gate-sdk';
import type { GateClient, Verdict } from '@tallygate/gate-sdk';
import type { Clock, Ids } from '@tallygate/kernel';
import type { Log } from '@tallygate/platform';
import type { Decisions } from '../decisions';
import { invalidAsk, problem, unavailable } from '../http/answers';
import type { AskReader } from '../http/read-ask';
import { pathOf } from '../http/route';
import type { Route, Routes } from '../http/route';
import { writeAnswer } from '../http/write';
import { usageOf } from './usage-of';

export interface ProxyParts {
  readonly upstream: string;
  readonly routes: Routes;
  readonly reader: AskReader;
  readonly decisions: Decisions;
  readonly client: GateClient;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** False only where a test may speak for the gateway, by `X-Tallygate-*` of its own. */
  readonly stripsClientHeaders: boolean;
}

/** Headers of one connection, which are not passed on (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The built-in reverse proxy: passes on what may pass, answers the denial otherwise, and reports usage of what was
 * served. It is on a port of its own, since its clients must not reach the agent's routes.
 */
export class ProxyServer {
  readonly server: Server;
  private readonly target: URL;
  private readonly agent: HttpAgent;
  private readonly forward: typeof httpRequest;

  constructor(private readonly parts: ProxyParts) {
    this.target = new URL(parts.upstream);
    const secure = this.target.protocol === 'https:';
    this.agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
    this.forward = secure ? httpsRequest : httpRequest;
    this.server = createServer((request, response) => {
      this.take(request, response).catch((error: unknown) => this.fail(response, error));
    });
  }

  close(): void {
    this.agent.destroy();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request.url ?? '/');
    const fields = this.parts.stripsClientHeaders ? withoutOurs(request.headers) : request.headers;
    const asked = this.parts.reader.read(fields, path);
    if (asked.kind === 'faults') return writeAnswer(response, invalidAsk(asked.faults));
    const open = asked.request.open ?? true;
    const verdict = await this.parts.decisions.decide({ ...asked.request, open }, 'use');
    if (!verdict.allow) return writeAnswer(response, httpAnswer(verdict));
    const release = (): void =>
      void this.parts.client.finish({ ...verdict.request, decisionId: verdict.decisionId });
    response.once('close', release);
    this.pass(request, response, verdict, this.parts.routes.of(path));
  }

  private pass(
    request: IncomingMessage,
    response: ServerResponse,
    verdict: Verdict,
    route: Route | undefined,
  ): void {
    const outgoing = this.forward(new URL(request.url ?? '/', this.target), {
      agent: this.agent,
      method: request.method,
      headers: forwarded(request, verdict),
    });
    outgoing.once('response', (incoming) => this.answer(request, response, incoming, verdict, route));
    outgoing.once('error', (error) => this.failUpstream(response, error));
    response.once('close', () => abort(outgoing, response));
    request.pipe(outgoing);
  }

  private answer(
    request: IncomingMessage,
    response: ServerResponse,
    incoming: IncomingMessage,
    verdict: Verdict,
    route: Route | undefined,
  ): void {
    const status = incoming.statusCode ?? 502;
    response.writeHead(status, { ...endToEnd(incoming.headers), ...verdictHeaders(verdict) });
    incoming.pipe(response);
    // Whoever hangs up in the middle of an answer was served: it counts as soon as it is over, however it ends.
    incoming.once('close', () => {
      if (status < 200 || status > 299) return;
      this.parts.client.report(verdict, usageOf({ request, incoming, verdict, template: route?.usage }));
    });
  }

  private failUpstream(response: ServerResponse, error: Error): void {
    if (response.destroyed) return;
    this.parts.log.warn({ err: error }, 'the upstream could not be reached');
    if (response.headersSent) response.destroy();
    else
      writeAnswer(
        response,
        problem(502, 'upstream_unavailable', 'The service behind the gate does not answer'),
      );
  }

  private fail(response: ServerResponse, error: unknown): void {
    this.parts.log.error({ err: error }, 'a request could not be answered');
    if (response.headersSent) response.destroy();
    else writeAnswer(response, unavailable(this.parts.ids.next(), this.parts.clock.now()));
  }
}

function abort(outgoing: ClientRequest, response: ServerResponse): void {
  if (!response.writableFinished) outgoing.destroy();
}

/** What the gate says about a request may only come from the gate. */
function isOurs(name: string): boolean {
  return name.startsWith('x-tallygate-') || name.startsWith('billing-gate-');
}

function withoutOurs(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isOurs(name)));
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

function forwarded(request: IncomingMessage, verdict: Verdict): IncomingHttpHeaders {
  const { host, ...headers } = withoutOurs(endToEnd(request.headers));
  const before = request.headers['x-forwarded-for'];
  const client = request.socket.remoteAddress ?? '';
  return {
    ...headers,
    ...verdictHeaders(verdict),
    'x-forwarded-host': request.headers['x-forwarded-host'] ?? host,
    'x-forwarded-proto': request.headers['x-forwarded-proto'] ?? 'http',
    'x-forwarded-for': before === undefined ? client : `${String(before)}, ${client}`,
  };
}
