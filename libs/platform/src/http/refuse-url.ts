import type { FastifyInstance } from 'fastify';
import { problem, PROBLEM_CONTENT_TYPE, problemBody } from './problem';
import { knownRefusal } from './problem-filter';

interface RouterError {
  readonly statusCode?: number;
  readonly message: string;
}

/** What is needed of a reply here; Nest brings types of its own copy of Fastify. */
interface RawReply {
  status(code: number): unknown;
  header(name: string, value: string): unknown;
  send(body: unknown): unknown;
}

/** What the router itself refuses before there is a route, such as a path that is no percent-encoding. */
export function refuseUrl(error: RouterError, _request: unknown, reply: RawReply): void {
  const refusal = knownRefusal(error.statusCode ?? 400, error.message);
  reply.status(refusal.status);
  reply.header('content-type', PROBLEM_CONTENT_TYPE);
  reply.send(problemBody(refusal));
}

/** U+0000 is in no name of anything here, and no database can look for it. */
export function refuseNullsInUrls(fastify: Pick<FastifyInstance, 'addHook'>): void {
  fastify.addHook('onRequest', async ({ url }) => {
    if (url.includes('%00')) {
      throw problem(400, 'malformed_request', 'The request cannot be read', {
        detail: 'The address holds U+0000, which is in no name of anything here.',
      });
    }
  });
}
