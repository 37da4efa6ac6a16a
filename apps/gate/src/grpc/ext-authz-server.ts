import { Server, ServerCredentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { GrpcObject, ServerUnaryCall, ServiceClientConstructor, sendUnaryData } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { grpcStatus } from '@tallygate/decision';
import { httpAnswer, verdictHeaders } from '@tallygate/gate-sdk';
import type { HttpAnswer, Verdict } from '@tallygate/gate-sdk';
import type { Log } from '@tallygate/platform';
import type { Decisions } from '../decisions';
import { invalidAsk } from '../http/answers';
import { billedHeaders } from '../http/billed-headers';
import type { AskReader } from '../http/read-ask';
import { EXT_AUTHZ_DESCRIPTOR } from './ext-authz-descriptor';
import { grpcDenialHeaders } from './grpc-denial';

interface CheckRequest {
  readonly attributes: {
    readonly request: {
      readonly http: { readonly headers: Readonly<Record<string, string>>; readonly path: string } | null;
    } | null;
    readonly contextExtensions: Readonly<Record<string, string>>;
  } | null;
}

interface HeaderOption {
  readonly header: { readonly key: string; readonly value: string };
  readonly appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD';
}

interface CheckResponse {
  readonly status: { readonly code: number; readonly message: string };
  readonly deniedResponse?: {
    readonly status: { readonly code: number };
    readonly headers: readonly HeaderOption[];
    readonly body: string;
  };
  readonly okResponse?: {
    readonly headers: readonly HeaderOption[];
    readonly responseHeadersToAdd: readonly HeaderOption[];
  };
  readonly dynamicMetadata?: { readonly fields: Readonly<Record<string, { readonly stringValue: string }>> };
}

const SERVICE = ['envoy', 'service', 'auth', 'v3', 'Authorization'];
const LOADING = { keepCase: false, longs: Number, enums: String, defaults: true, oneofs: true } as const;
const [OK, PERMISSION_DENIED, INVALID_ARGUMENT] = [0, 7, 3];

export interface ExtAuthzParts {
  readonly reader: AskReader;
  readonly decisions: Decisions;
  readonly log: Log;
  readonly onPass: ((verdict: Verdict) => void) | null;
}

/** Envoy's ext_authz over gRPC. What a route says in its context comes before what the request says in headers. */
export class ExtAuthzServer {
  private readonly server = new Server();
  private bound = 0;

  constructor(private readonly parts: ExtAuthzParts) {
    this.server.addService(authorizationService(), { check: this.check.bind(this) });
  }

  get port(): number {
    return this.bound;
  }

  async start(host: string, port: number): Promise<void> {
    this.bound = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  }

  stop(): void {
    this.server.forceShutdown();
  }

  private check(
    call: ServerUnaryCall<CheckRequest, CheckResponse>,
    done: sendUnaryData<CheckResponse>,
  ): void {
    this.answer(call.request).then(
      (response) => done(null, response),
      (error: unknown) => {
        this.parts.log.error({ err: error }, 'a check could not be answered');
        done({ code: 14, details: 'No decision can be made just now.' });
      },
    );
  }

  private async answer({ attributes }: CheckRequest): Promise<CheckResponse> {
    const http = attributes?.request?.http;
    const fields = { ...http?.headers, ...routeFields(attributes?.contextExtensions ?? {}) };
    const asked = this.parts.reader.read(fields, http?.path);
    if (asked.kind === 'faults') return denied(INVALID_ARGUMENT, invalidAsk(asked.faults));
    const verdict = await this.parts.decisions.decide(asked.request, asked.preflight ? 'look' : 'use');
    if (!verdict.allow) return denialOf(verdict, isGrpc(fields['content-type']));
    if (asked.preflight) return passed(verdict);
    this.parts.onPass?.(verdict);
    return { ...passed(verdict), dynamicMetadata: billedMetadata(verdict) };
  }
}

function authorizationService(): ServiceClientConstructor['service'] {
  const root: GrpcObject = loadPackageDefinition(fromJSON(EXT_AUTHZ_DESCRIPTOR, LOADING));
  const found = SERVICE.reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], root);
  return (found as ServiceClientConstructor).service;
}

/** `feature: completions` of a route is the header `x-tallygate-feature` of a gateway that can only set headers. */
function routeFields(context: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(context).map(([name, value]) => [`x-tallygate-${name.replaceAll('_', '-')}`, value]),
  );
}

function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:[+;]|$)/.test(contentType);
}

function passed(verdict: Verdict): CheckResponse {
  const headers = options(verdictHeaders(verdict));
  return { status: { code: OK, message: '' }, okResponse: { headers, responseHeadersToAdd: headers } };
}

/** Under the names that the agent has for headers, so that one log format serves both of Envoy's ways. */
function billedMetadata(verdict: Verdict): CheckResponse['dynamicMetadata'] {
  const list = billedHeaders(verdict);
  if (list.length === 0) return undefined;
  const fields: Record<string, { stringValue: string }> = {
    'billing-gate-decision': { stringValue: verdict.decisionId },
  };
  for (let at = 0; at < list.length; at += 2)
    fields[(list[at] ?? '').toLowerCase()] = { stringValue: list[at + 1] ?? '' };
  return { fields };
}

/** A client that speaks gRPC reads gRPC's own headers; Envoy makes its message of the body. */
function denialOf(verdict: Verdict, grpc: boolean): CheckResponse {
  const answer = httpAnswer(verdict);
  if (verdict.local === null) return denied(PERMISSION_DENIED, answer);
  const status = grpcStatus(verdict.local.decision);
  if (!grpc) return denied(status.code, answer);
  const headers = { ...answer.headers, ...grpcDenialHeaders(status) };
  return denied(status.code, { ...answer, headers, body: status.message });
}

function denied(code: number, { status, headers, body }: HttpAnswer): CheckResponse {
  return {
    status: { code, message: '' },
    deniedResponse: { status: { code: status }, headers: options(headers), body },
  };
}

function options(headers: Readonly<Record<string, string>>): readonly HeaderOption[] {
  return Object.entries(headers).map(([key, value]) => ({
    header: { key, value },
    appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD',
  }));
}
