import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { httpAnswer } from '@tallygate/gate-sdk';
import type { GateClient, HttpAnswer, Verdict } from '@tallygate/gate-sdk';
import type { Clock, Ids } from '@tallygate/kernel';
import type { Log } from '@tallygate/platform';
import type { Decisions } from '../decisions';
import { invalidAsk, json, problem, unavailable } from './answers';
import type { Operations } from './operations';
import { preflightAnswer } from './preflight-answer';
import type { AskReader } from './read-ask';
import { readJson } from './read-json';
import { pathOf } from './route';
import type { SealedDenials } from './sealed-denial';
import { writeAnswer, writePass } from './write';

export interface AgentParts {
  readonly client: GateClient;
  readonly decisions: Decisions;
  readonly reader: AskReader;
  readonly sealed: SealedDenials;
  readonly operations: Operations;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Called for what passed, where the gate reports usage of what others serve. */
  readonly onPass: ((verdict: Verdict, request: IncomingMessage) => void) | null;
}

type Writer = (response: ServerResponse, verdict: Verdict, looks: boolean) => void;

/** Gateways that prefix a path of ours to the original one; what follows is the request's own path. */
const ENVOY_PREFIX = '/envoy';

/** Denials that nginx may be told, and where it finds what to answer. */
export const DENY_HEADER = 'X-Tallygate-Deny';
export const STATUS_HEADER = 'X-Tallygate-Status';

/** The agent over HTTP: one question, one answer, in the words of each gateway. */
export class AgentServer {
  readonly server: Server;

  constructor(private readonly parts: AgentParts) {
    // Longer than any gateway keeps an idle connection, so that none is closed under a request on its way.
    this.server = createServer({ keepAliveTimeout: 120_000 }, (request, response) =>
      this.take(request, response),
    );
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    try {
      this.route(request, response);
    } catch (error) {
      this.fail(response, error);
    }
  }

  private route(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '/';
    if (url === '/authorize') return this.authorize(request, response, originalPath(request), WRITE);
    if (url.startsWith(`${ENVOY_PREFIX}/`)) {
      return this.authorize(request, response, url.slice(ENVOY_PREFIX.length), WRITE_ENVOY);
    }
    switch (pathOf(url)) {
      case '/nginx':
        return this.authorize(request, response, originalPath(request), (to, verdict, looks) =>
          this.writeNginx(to, verdict, looks),
        );
      case '/authorize':
      case '/caddy':
        return this.authorize(request, response, originalPath(request), WRITE);
      case '/preflight':
        return this.preflight(request, response);
      case '/deny':
        return writeAnswer(response, this.denied(request));
      case '/finish':
        return this.later(response, this.finish(request));
      default:
        return this.later(response, this.parts.operations.answer(request));
    }
  }

  private authorize(
    request: IncomingMessage,
    response: ServerResponse,
    path: string | undefined,
    write: Writer,
  ): void {
    const asked = this.parts.reader.read(request.headers, path);
    if (asked.kind === 'faults') return this.refuse(response, invalidAsk(asked.faults), write);
    if (asked.preflight) return this.look(asked.request, response, write);
    const verdict = this.parts.decisions.decide(asked.request, 'use');
    if ('then' in verdict)
      return this.awaited(response, verdict, (late) => this.conclude(request, response, late, write));
    this.conclude(request, response, verdict, write);
  }

  private conclude(
    request: IncomingMessage,
    response: ServerResponse,
    verdict: Verdict,
    write: Writer,
  ): void {
    if (verdict.allow) this.parts.onPass?.(verdict, request);
    write(response, verdict, false);
  }

  private preflight(request: IncomingMessage, response: ServerResponse): void {
    const asked = this.parts.reader.read(request.headers, originalPath(request));
    if (asked.kind === 'faults') return writeAnswer(response, invalidAsk(asked.faults));
    this.look(asked.request, response, (to, verdict) => writeAnswer(to, preflightAnswer(verdict)));
  }

  private look(asked: Parameters<Decisions['decide']>[0], response: ServerResponse, write: Writer): void {
    const verdict = this.parts.decisions.decide(asked, 'look');
    if ('then' in verdict) return this.awaited(response, verdict, (late) => write(response, late, true));
    write(response, verdict, true);
  }

  /** 200, or 403 with the true answer sealed beside it: nginx takes no other word for no. */
  private writeNginx(response: ServerResponse, verdict: Verdict, looks: boolean): void {
    if (verdict.allow) return writePass(response, verdict, looks);
    writeAnswer(response, this.throughNginx(httpAnswer(verdict)));
  }

  private throughNginx(answer: HttpAnswer): HttpAnswer {
    const reason = answer.headers['Billing-Gate-Reason'];
    return {
      status: 403,
      headers: {
        [STATUS_HEADER]: String(answer.status),
        [DENY_HEADER]: this.parts.sealed.seal(answer),
        ...(reason === undefined ? {} : { 'Billing-Gate-Reason': reason }),
      },
      body: '',
    };
  }

  private refuse(response: ServerResponse, answer: HttpAnswer, write: Writer): void {
    const direct = write === WRITE || write === WRITE_ENVOY;
    writeAnswer(response, direct ? answer : this.throughNginx(answer));
  }

  private denied(request: IncomingMessage): HttpAnswer {
    const sealed = request.headers[DENY_HEADER.toLowerCase()];
    const answer = typeof sealed === 'string' ? this.parts.sealed.open(sealed) : null;
    return answer ?? this.unavailable();
  }

  private async finish(request: IncomingMessage): Promise<HttpAnswer> {
    if (request.method !== 'POST') return problem(405, 'method_not_allowed', 'Finish with POST');
    const body = await readJson(request);
    if (body === null) return problem(400, 'not_json', 'The body is not a JSON object');
    const { open, decision } = body;
    const tenant = request.headers['x-tallygate-tenant'];
    const found = this.parts.client.finish({
      tenantId: typeof tenant === 'string' ? tenant : null,
      decisionId: typeof decision === 'string' ? decision : null,
      name: typeof open === 'string' ? open : null,
    });
    if (found) return json(200, { finished: true, open: open ?? null, decision: decision ?? null });
    return problem(404, 'open_not_found', 'No such request is in flight');
  }

  private awaited(
    response: ServerResponse,
    pending: Promise<Verdict>,
    then: (verdict: Verdict) => void,
  ): void {
    pending.then(then).catch((error: unknown) => this.fail(response, error));
  }

  private later(response: ServerResponse, pending: Promise<HttpAnswer>): void {
    pending
      .then((answer) => writeAnswer(response, answer))
      .catch((error: unknown) => this.fail(response, error));
  }

  private fail(response: ServerResponse, error: unknown): void {
    this.parts.log.error({ err: error }, 'a request could not be answered');
    if (response.headersSent) response.destroy();
    else writeAnswer(response, this.unavailable());
  }

  private unavailable(): HttpAnswer {
    return unavailable(this.parts.ids.next(), this.parts.clock.now());
  }
}

const WRITE: Writer = (response, verdict, looks) => {
  if (verdict.allow) writePass(response, verdict, looks);
  else writeAnswer(response, httpAnswer(verdict));
};

/** Envoy takes any 5xx over HTTP for no answer at all; its configuration turns this into the 503 that is meant. */
const WRITE_ENVOY: Writer = (response, verdict, looks) => {
  if (verdict.status !== 503) return WRITE(response, verdict, looks);
  const { headers, body } = httpAnswer(verdict);
  writeAnswer(response, { status: 403, headers: { ...headers, [STATUS_HEADER]: '503' }, body });
};

/** Where the gateway says it: nginx by convention, Caddy and Traefik by their forward_auth. */
function originalPath({ headers }: IncomingMessage): string | undefined {
  const path = headers['x-original-uri'] ?? headers['x-forwarded-uri'];
  return typeof path === 'string' ? path : undefined;
}
