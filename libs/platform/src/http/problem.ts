import { HttpException } from '@nestjs/common';

/** One thing wrong with a request: where, what was sent, why it is refused, what to send instead. */
export interface Fault {
  readonly field: string;
  readonly value: unknown;
  readonly problem: string;
  readonly fix: string;
}

/** An RFC 9457 answer. `code` is ours and stable; `title` and `detail` are for people. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
  readonly faults?: readonly Fault[];
  readonly [extra: string]: unknown;
}

export const PROBLEM_TYPE_BASE = 'https://tallygate.dev/problems/';
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** The body as sent, with the members RFC 9457 names. */
export function problemBody(problem: Problem): Record<string, unknown> {
  return { type: `${PROBLEM_TYPE_BASE}${problem.code}`, ...problem };
}

/** Carries a problem out of a transport. Services return refusals as values; only controllers throw this. */
export class ProblemException extends HttpException {
  constructor(
    readonly problem: Problem,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(problemBody(problem), problem.status);
    this.message = `${problem.code}: ${problem.detail ?? problem.title}`;
  }
}

/** The exception of a problem, to be thrown: `throw problem(409, 'hold_resolved', 'The hold is resolved')`. */
export function problem(
  status: number,
  code: string,
  title: string,
  rest: Omit<Problem, 'status' | 'code' | 'title'> = {},
): ProblemException {
  return new ProblemException({ ...rest, status, code, title });
}

export function invalid(faults: readonly Fault[]): ProblemException {
  return problem(422, 'invalid_request', 'The request cannot be used', {
    detail: faults.map((fault) => `${fault.field}: ${fault.problem}`).join('; '),
    faults,
  });
}
