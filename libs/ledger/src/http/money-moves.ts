import { createParamDecorator, Injectable } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Clock } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import {
  bodyHash,
  Database,
  idempotencyKeyOf,
  principalOf,
  ProblemException,
  replayOrRun,
  takesIdempotencyKey,
  TenantTime,
} from '@tallygate/platform';
import type { Answer, Authenticated, IdempotentRequest, Problem, Tx } from '@tallygate/platform';

/** Who moves money, under which key, on which route, with which body. */
export type MoneyCall = Omit<IdempotentRequest, 'now'>;

/** The request's identity; 422 without an Idempotency-Key. */
export const CurrentMoneyCall = createParamDecorator(
  takesIdempotencyKey((_: unknown, host: ExecutionContext): MoneyCall => {
    const request = host.switchToHttp().getRequest<FastifyRequest & Authenticated>();
    const [path = request.url] = request.url.split('?');
    return {
      tenantId: principalOf(request).tenantId,
      key: idempotencyKeyOf(request),
      route: `${request.method} ${path}`,
      bodyHash: bodyHash(request),
    };
  }),
);

/**
 * Runs a money-moving request in one transaction with its idempotency key: the movement and the answer that will be
 * replayed commit together. Refusals are answers too, and replayed as such.
 */
@Injectable()
export class MoneyMoves {
  constructor(
    private readonly database: Database,
    private readonly time: TenantTime,
    private readonly clock: Clock,
  ) {}

  async run(call: MoneyCall, work: (tx: Tx, now: Instant) => Promise<Answer>): Promise<unknown> {
    const now = await this.time.now(call.tenantId);
    const answer = await this.database.asTenant(call.tenantId, (tx) =>
      replayOrRun(tx, { ...call, now: this.clock.now() }, () => work(tx, now)),
    );
    if (answer.status >= 400) throw new ProblemException(answer.body as Problem);
    return answer.body;
  }
}

/** A refusal as an answer, so that it is kept. */
export function refusal(exception: ProblemException): Answer {
  return { status: exception.problem.status, body: exception.problem };
}
