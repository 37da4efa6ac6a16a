import { ParseUUIDPipe, RequestMethod } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { GUARDS_METADATA, HTTP_CODE_METADATA, METHOD_METADATA } from '@nestjs/common/constants';
import { PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import { z } from 'zod';
import { InternalGuard } from '../auth/internal-guard';
import { PUBLIC, ROOT, SCOPE } from '../auth/api-key-guard';
import { needsIdempotencyKey } from '../http/idempotency';
import { ZodBody } from '../http/zod-faults';
import { contractOf, ONE_OF_SCOPES, tagOf } from './operation';
import type { ApiTag, OperationContract } from './operation';

/** Who is let in. `scopes`: of which a key needs one. */
export type Credential =
  | { readonly kind: 'none' | 'root' | 'internal' }
  | { readonly kind: 'key'; readonly scopes: readonly string[] }
  | { readonly kind: 'gate'; readonly scopes: readonly string[] };

/** A handler as it is wired: everything about its request is read from what Nest itself goes by. */
export interface Route {
  readonly method: string;
  /** As Fastify has it: `/v1/holds/:key/capture`. */
  readonly path: string;
  readonly handler: string;
  readonly status: number;
  readonly credential: Credential;
  readonly body: z.ZodType | null;
  readonly query: z.ZodType | null;
  readonly params: Readonly<Record<string, z.ZodType | null>>;
  readonly idempotent: boolean;
  readonly tag: ApiTag | undefined;
  readonly contract: OperationContract | undefined;
}

interface Argument {
  readonly data?: unknown;
  readonly factory?: object;
  readonly pipes?: readonly unknown[];
}

type Handler = (...args: never[]) => unknown;

export function routesOf(controllers: readonly Type[]): readonly Route[] {
  return controllers.flatMap((controller) =>
    handlersOf(controller).map(([name, handler]) => routeOf(controller, name, handler)),
  );
}

function handlersOf(controller: Type): readonly (readonly [string, Handler])[] {
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = name === 'constructor' ? undefined : prototype[name];
    const routed = typeof handler === 'function' && Reflect.hasMetadata(METHOD_METADATA, handler);
    return routed ? [[name, handler as Handler] as const] : [];
  });
}

function routeOf(controller: Type, name: string, handler: Handler): Route {
  const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number] ?? 'ALL';
  const path = pathOf(controller, handler);
  const status = Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined;
  return {
    method,
    path,
    handler: `${controller.name}.${name}`,
    status: status ?? (method === 'POST' ? 201 : 200),
    credential: credentialOf(controller, handler, method, path),
    tag: tagOf(controller),
    contract: contractOf(handler),
    ...requestOf(argumentsOf(controller, name), path),
  };
}

function pathOf(controller: Type, handler: Handler): string {
  const parts = [controller, handler].map((one) => String(Reflect.getMetadata(PATH_METADATA, one) ?? ''));
  return `/${parts
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('/')}`;
}

/** By the same rules as `ApiKeyGuard`, which the first line repeats. */
function credentialOf(controller: Type, handler: Handler, method: string, path: string): Credential {
  const said = <T>(key: string) =>
    (Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller)) as T | undefined;
  const guards = said<readonly unknown[]>(GUARDS_METADATA) ?? [];
  if (guards.includes(InternalGuard)) return { kind: 'internal' };
  const oneOf = said<readonly string[]>(ONE_OF_SCOPES);
  if (oneOf !== undefined) return { kind: 'gate', scopes: oneOf };
  if (!path.startsWith('/v1') || said<boolean>(PUBLIC) === true) return { kind: 'none' };
  if (said<boolean>(ROOT) === true) return { kind: 'root' };
  return { kind: 'key', scopes: [said<string>(SCOPE) ?? (method === 'GET' ? 'read' : 'write')] };
}

type Keyed = readonly [string, Argument];

function argumentsOf(controller: Type, name: string): readonly Keyed[] {
  const found = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as
    Record<string, Argument> | undefined;
  return Object.entries(found ?? {});
}

function requestOf(args: readonly Keyed[], path: string) {
  const of = (type: RouteParamtypes) =>
    args.filter(([key]) => key.startsWith(`${type}:`)).map(([, argument]) => argument);
  const params = of(RouteParamtypes.PARAM).map(({ data, pipes }) => [String(data), schemaOf(pipes)] as const);
  const named = [...path.matchAll(/:(\w+)/g)].map(([, param]) => [param ?? '', null] as const);
  return {
    body: of(RouteParamtypes.BODY).map(({ pipes }) => schemaOf(pipes))[0] ?? null,
    query: of(RouteParamtypes.QUERY).map(({ pipes }) => schemaOf(pipes))[0] ?? null,
    params: Object.fromEntries([...named, ...params]),
    idempotent: args.some(([, { factory }]) => factory !== undefined && needsIdempotencyKey(factory)),
  };
}

/** What the argument's pipes check. */
function schemaOf(pipes: readonly unknown[] = []): z.ZodType | null {
  for (const pipe of pipes) {
    if (pipe instanceof ZodBody) return pipe.schema as z.ZodType;
    if (pipe instanceof ParseUUIDPipe) return z.uuid();
  }
  return null;
}
