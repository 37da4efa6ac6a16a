import type { FastifyInstance, FastifyRequest } from 'fastify';
import { problem } from './problem';

export const BODY_LIMIT = 1024 * 1024;

const JSON_TYPES = /^application\/(?:[\w.+-]+\+)?json(?:\s*;.*)?$/i;

/** A request whose body was JSON: `rawBody` are its bytes, which signatures and exact numbers are read from. */
export interface WithRawBody {
  rawBody?: Buffer;
}

/** Reads JSON of any `+json` type: UTF-8 is checked, which Fastify's own parser would silently repair. */
export function readJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    JSON_TYPES,
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    (request: FastifyRequest & WithRawBody, body: Buffer, done) => {
      request.rawBody = body;
      try {
        done(null, parseJson(body));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const text = decode(body);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw problem(400, 'not_json', 'The body is not JSON', {
      detail: error instanceof Error ? error.message : undefined,
    });
  }
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw problem(400, 'not_utf8', 'The body is not UTF-8', { detail: 'Send JSON encoded as UTF-8.' });
  }
}
