import { randomUUID } from 'node:crypto';
import { Catch, HttpException, NotFoundException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../telemetry/log';
import type { AllowedMethods } from './allowed-methods';
import { BODY_LIMIT } from './body-parser';
import { PROBLEM_CONTENT_TYPE, problemBody, ProblemException } from './problem';
import type { Problem } from './problem';
import { storageProblem } from './storage-problem';

/** Every answer that is not a success leaves here, as a problem. What was not foreseen shows an id and nothing else. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Log,
    private readonly methods: Pick<AllowedMethods, 'at'> = { at: () => [] },
    private readonly newId: () => string = randomUUID,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const error = this.seenAsStorage(thrown);
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const allowed = error instanceof NotFoundException ? this.allowedFor(request) : null;
    const problem =
      allowed === null ? this.problemOf(error, request) : knownRefusal(405, `Here are ${allowed}.`);
    const headers = error instanceof ProblemException ? error.headers : {};
    void reply
      .headers({ ...headers, ...(allowed === null ? {} : { allow: allowed }) })
      .status(problem.status)
      .header('content-type', PROBLEM_CONTENT_TYPE)
      .send(problemBody(problem));
  }

  /** A database that is away is foreseen, and told to the log as what it was. */
  private seenAsStorage(error: unknown): unknown {
    const refused = error instanceof HttpException ? null : storageProblem(error);
    if (refused !== null) this.log.error({ err: error }, 'the database did not take a request');
    return refused ?? error;
  }

  /** The methods of a path that exists, but not for this one; null for a path that does not. */
  private allowedFor({ url, method }: FastifyRequest): string | null {
    const allowed = this.methods.at(url);
    return allowed.length === 0 || allowed.includes(method) ? null : allowed.join(', ');
  }

  private problemOf(error: unknown, request: FastifyRequest): Problem {
    if (error instanceof ProblemException) return error.problem;
    const status = statusOf(error);
    if (status !== null && status < 500)
      return knownRefusal(status, error instanceof Error ? error.message : '');
    const id = this.newId();
    this.log.error({ err: error, id, method: request.method, url: request.url }, 'a request failed');
    return {
      status: 500,
      code: 'internal_error',
      title: 'Something went wrong here',
      detail: `Name this id when you report it: ${id}`,
      id,
    };
  }
}

function statusOf(error: unknown): number | null {
  if (error instanceof HttpException) return error.getStatus();
  // Fastify's own refusals carry a statusCode; other errors with one are not to be trusted.
  const fastify =
    error instanceof Error &&
    'statusCode' in error &&
    'code' in error &&
    String(error.code).startsWith('FST_');
  return fastify ? Number((error as { readonly statusCode: unknown }).statusCode) : null;
}

/** What the framework refuses by itself, in our words. */
export function knownRefusal(status: number, detail: string): Problem {
  switch (status) {
    case 400:
      return { status, code: 'malformed_request', title: 'The request cannot be read', detail };
    case 404:
      return { status, code: 'not_found', title: 'There is nothing here', detail };
    case 405:
      return { status, code: 'method_not_allowed', title: 'This method is not allowed here', detail };
    case 413:
      return {
        status,
        code: 'body_too_large',
        title: 'The body is too large',
        detail: `Send at most ${BODY_LIMIT} bytes (1 MiB) at once.`,
        limit_bytes: BODY_LIMIT,
      };
    case 415:
      return {
        status,
        code: 'unsupported_media_type',
        title: 'This content type is not supported',
        detail: 'Send JSON with content-type application/json.',
      };
    default:
      return { status, code: `http_${status}`, title: 'The request was refused', detail };
  }
}
