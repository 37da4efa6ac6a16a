import type { Type } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { problem, PROBLEM_CONTENT_TYPE, problemBody } from '../http/problem';
import type { Problem } from '../http/problem';
import { isDocumented, refusalsOf } from './document';
import { routesOf } from './routes';

/** What one route may answer: bodies by status, codes of refusals by status. */
interface Answers {
  readonly bodies: ReadonlyMap<number, z.ZodType>;
  readonly codes: ReadonlyMap<number, ReadonlySet<string>>;
}

/** The routes that Fastify has and those of the document must be the same. @throws Error naming those that are not */
export function requireDocumented(registered: readonly string[], controllers: readonly Type[]): void {
  const documented = new Set(
    routesOf(controllers)
      .filter(isDocumented)
      .map(({ method, path }) => `${method} ${path}`),
  );
  const known = new Set(registered);
  const differences = [
    ...[...known].filter((route) => !documented.has(route)).map((route) => `${route} is not documented`),
    ...[...documented].filter((route) => !known.has(route)).map((route) => `${route} is not answered`),
  ];
  if (differences.length > 0)
    throw new Error(`OpenAPI: ${differences.join('; ')}. See CONTRIBUTING.md, "A new route".`);
}

/** Compares each answer with the OpenAPI document and fails one that differs: for tests, which then see a 500. */
export class AnswerCheck {
  private readonly answers: ReadonlyMap<string, Answers>;

  constructor(controllers: readonly Type[]) {
    this.answers = new Map(
      routesOf(controllers)
        .filter(isDocumented)
        .map((route) => {
          const { contract, method, path, status } = route;
          const statuses = Object.keys(contract.statuses ?? { [status]: '' }).map(Number);
          const bodies = new Map(statuses.map((one) => [one, contract.answer]));
          const codes = new Map<number, Set<string>>();
          for (const { problem: refusal } of refusalsOf(route))
            codes.set(refusal.status, (codes.get(refusal.status) ?? new Set()).add(refusal.code));
          return [`${method} ${path}`, { bodies, codes }];
        }),
    );
  }

  watch(fastify: Pick<FastifyInstance, 'addHook'>): void {
    fastify.addHook(
      'preSerialization',
      async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
        const difference = this.difference(request, reply.statusCode, payload);
        if (difference === null) return payload;
        const detail = `${request.method} ${request.routeOptions.url} ${difference}`;
        void reply.status(500).header('content-type', PROBLEM_CONTENT_TYPE);
        const { problem: wrong } = problem(500, 'undocumented_answer', 'The answer is not as documented', {
          detail,
        });
        return problemBody(wrong);
      },
    );
  }

  private difference({ method, routeOptions }: FastifyRequest, status: number, sent: unknown): string | null {
    const known = this.answers.get(`${method} ${routeOptions.url}`);
    if (known === undefined) return null;
    if (status >= 400) {
      const { code } = sent as Problem;
      return known.codes.get(status)?.has(code) ? null : `refused with ${status} ${code}`;
    }
    const body = known.bodies.get(status);
    if (body === undefined) return `answered ${status}`;
    const parsed = body.safeParse(JSON.parse(JSON.stringify(sent)));
    return parsed.success ? null : `answered ${z.prettifyError(parsed.error)}`;
  }
}
