import type { Type } from '@nestjs/common';
import type { z } from 'zod';
import { invariant } from '@tallygate/kernel';
import { IDEMPOTENCY_KEY } from '../http/idempotency';
import { PROBLEM_CONTENT_TYPE, problemBody } from '../http/problem';
import type { ProblemException } from '../http/problem';
import { commonRefusals } from './common-refusals';
import { answerSchema, requestSchema } from './json-schema';
import type { Components, JsonSchema } from './json-schema';
import type { OperationContract } from './operation';
import { ANY_PARAMETER, PATH_PARAMETERS } from './path-parameters';
import { problemSchema } from './problem-schema';
import { routesOf } from './routes';
import type { Credential, Route } from './routes';
import { SECURITY_SCHEMES, securityOf } from './security';

export interface OpenApiDocument extends JsonSchema {
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
}

/** Routes for everybody, or those between the services of one installation, which change without notice. */
export type Audience = 'public' | 'internal';

export interface DocumentOptions {
  readonly name: string;
  readonly audience?: Audience;
  readonly controllers: readonly Type[];
}

const DESCRIPTION = `Usage metering, prepaid credit, dunning and entitlement for API gateways.

- Amounts and quantities are decimal texts with at most 9 decimals; instants are RFC 3339 with up to 6.
- A refusal is \`application/problem+json\` (RFC 9457): \`code\` is stable, \`title\` and \`detail\` are for people, \`faults\`
  name each field, what was found there and what to send instead.
- Answers may gain fields; a client ignores those that it does not know. An unknown field of a request is refused.
- Routes that move money take an \`Idempotency-Key\`: the same key with the same body replays the first answer.
- A method that a path does not know is answered 405 with \`Allow\`, an unknown path 404.`;

/** The OpenAPI 3.1 document of these controllers. Routes without a contract are left out: see `undocumented`. */
export function openApiDocument({
  name,
  controllers,
  audience = 'public',
}: DocumentOptions): OpenApiDocument {
  const components: Components = new Map();
  const routes = routesOf(controllers).filter((route) => audienceOf(route) === audience);
  const documented = [...routes].filter(isDocumented).sort(byPath);
  const tags = new Map(documented.map(({ tag }) => [tag?.name ?? '', tag]));
  const paths = pathsOf(documented, components);
  return {
    openapi: '3.1.0',
    info: {
      title: `Tallygate ${name}`,
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'Where this document was read' }],
    tags: [...tags.values()].filter((tag) => tag !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1)),
    paths,
    components: {
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

/** Every handler with a contract, whoever it is for. */
export function documentedRoutes(controllers: readonly Type[]): readonly Documented[] {
  return routesOf(controllers).filter(isDocumented);
}

/** Handlers without a contract, by name, with their routes. */
export function undocumented(controllers: readonly Type[]): readonly string[] {
  return routesOf(controllers)
    .filter((route) => !isDocumented(route))
    .map(({ handler, method, path }) => `${method} ${path} (${handler})`);
}

export type Documented = Route & { readonly contract: OperationContract };

export const isDocumented = (route: Route): route is Documented => route.contract !== undefined;

export function audienceOf({ credential }: { readonly credential: Credential }): Audience {
  return credential.kind === 'internal' ? 'internal' : 'public';
}

const byPath = (a: Route, b: Route) =>
  a.path === b.path ? a.method.localeCompare(b.method) : a.path < b.path ? -1 : 1;

function pathsOf(routes: readonly Documented[], components: Components): OpenApiDocument['paths'] {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  const ids = new Set<string>();
  for (const route of routes) {
    invariant(!ids.has(route.contract.id), `Two operations have the id ${route.contract.id}`);
    ids.add(route.contract.id);
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, components);
  }
  return paths;
}

function operationOf(route: Documented, components: Components): JsonSchema {
  const { contract, tag, credential } = route;
  const body = bodyOf(route, components);
  return {
    operationId: contract.id,
    summary: contract.summary,
    ...(contract.description === undefined ? {} : { description: contract.description }),
    tags: tag === undefined ? [] : [tag.name],
    security: securityOf(credential),
    parameters: [
      ...Object.entries(route.params).map(([name, schema]) => pathParameter(name, schema, components)),
      ...queryParameters(route.query, components),
      ...headerParameters(route, components),
    ],
    ...(body === null ? {} : { requestBody: body }),
    responses: { ...answers(route, components), ...refusals(route, components) },
  };
}

function pathParameter(name: string, schema: z.ZodType | null, components: Components): JsonSchema {
  const known = PATH_PARAMETERS[name] ?? ANY_PARAMETER;
  return {
    name,
    in: 'path',
    required: true,
    description: known.description,
    schema: requestSchema(schema ?? known.schema, components),
    example: known.example,
  };
}

function queryParameters(query: z.ZodType | null, components: Components): readonly JsonSchema[] {
  if (query === null) return [];
  const { properties = {}, required = [] } = requestSchema(query, components);
  return Object.entries(properties as Record<string, JsonSchema>).map(([name, property]) => {
    const { description, ...schema } = asTyped(property);
    return {
      name,
      in: 'query',
      required: (required as readonly string[]).includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
}

/** A query's texts are shown as what they mean: a default, too. */
function asTyped(property: JsonSchema): JsonSchema {
  if (property['type'] !== 'integer' || property['default'] === undefined) return property;
  return { ...property, default: Number(property['default']) };
}

function headerParameters(
  { contract, idempotent }: Documented,
  components: Components,
): readonly JsonSchema[] {
  const own = Object.entries(contract.headers ?? {}).map(([name, schema]) => ({
    name,
    in: 'header',
    required: !schema.safeParse(undefined).success,
    schema: requestSchema(schema, components),
  }));
  return idempotent ? [...own, IDEMPOTENCY_PARAMETER] : own;
}

const IDEMPOTENCY_PARAMETER: JsonSchema = {
  name: IDEMPOTENCY_KEY,
  in: 'header',
  required: true,
  description: 'Unique for this request in the tenant, whatever the route; kept for at least 35 days',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  example: '7f1d2c9e-acme-2026-03',
};

function bodyOf({ body, contract }: Documented, components: Components): JsonSchema | null {
  const said = contract.body;
  const schema = said?.schema ?? body;
  if (schema === null || schema === undefined) return null;
  const json = requestSchema(schema, components);
  const media = { schema: json, ...(said === undefined ? {} : { example: said.example }) };
  return {
    required: !schema.safeParse(undefined).success && said?.optional !== true,
    content: Object.fromEntries((said?.types ?? ['application/json']).map((type) => [type, media])),
  };
}

function answers({ contract, status }: Documented, components: Components): JsonSchema {
  const { answer, example, answerType = 'application/json', otherTypes = {} } = contract;
  const others = Object.entries(otherTypes).map(([type, text]) => [
    type,
    { schema: { type: 'string' }, example: text },
  ]);
  const content = {
    [answerType]: { schema: answerSchema(answer, components), example },
    ...(Object.fromEntries(others) as JsonSchema),
  };
  const said = contract.statuses ?? { [status]: contract.summary };
  return Object.fromEntries(
    Object.entries(said).map(([code, description]) => [
      code,
      code === '304' ? { description } : { description, content },
    ]),
  );
}

/** One answer for each status; its body names the codes that it may have, each with an example. */
function refusals(route: Documented, components: Components): JsonSchema {
  const byStatus = new Map<number, ProblemException[]>();
  for (const refusal of refusalsOf(route)) {
    const { status } = refusal.problem;
    byStatus.set(status, [...(byStatus.get(status) ?? []), refusal]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [String(status), refusalAnswer(status, list, components)]),
  );
}

export function refusalsOf(route: Documented): readonly ProblemException[] {
  const takesBody = route.method !== 'GET' && route.method !== 'HEAD';
  return [...(route.contract.refusals ?? []), ...commonRefusals(route, takesBody)];
}

function refusalAnswer(
  status: number,
  list: readonly ProblemException[],
  components: Components,
): JsonSchema {
  const problem = answerSchema(problemSchema, components);
  const codes = [...new Set(list.map((refusal) => refusal.problem.code))];
  const schema = { allOf: [problem, { properties: { status: { const: status }, code: { enum: codes } } }] };
  return {
    description: [...new Set(list.map((refusal) => refusal.problem.title))].join('; '),
    content: { [PROBLEM_CONTENT_TYPE]: { schema, examples: examplesOf(list) } },
  };
}

function examplesOf(list: readonly ProblemException[]): JsonSchema {
  const examples: Record<string, JsonSchema> = {};
  for (const { problem } of list) {
    const same = Object.keys(examples).filter((name) => name.replace(/_\d+$/, '') === problem.code).length;
    const name = same === 0 ? problem.code : `${problem.code}_${same + 1}`;
    examples[name] = { summary: problem.title, value: problemBody(problem) };
  }
  return examples;
}
