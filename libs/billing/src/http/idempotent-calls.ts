import { createParamDecorator, Injectable } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { Clock } from '@tallygate/kernel';
import {
  bodyHash,
  idempotencyKeyOf,
  principalOf,
  ProblemException,
  reusedKey,
  takesIdempotencyKey,
} from '@tallygate/platform';
import type { Answer, Authenticated, Problem } from '@tallygate/platform';
import type { FastifyRequest } from 'fastify';
import { PgCallClaims } from '../postgres/idempotency.pg-store';
import type { CallIdentity } from '../postgres/idempotency.pg-store';

/** A money-moving call: who, which key, which route, which body. 422 without an Idempotency-Key. */
export const MoneyCall = createParamDecorator(
  takesIdempotencyKey((_: unknown, host: ExecutionContext): CallIdentity => {
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

/** Runs a call once per key; repeats get the first answer, a refusal included. Failures of ours are not kept. */
@Injectable()
export class IdempotentCalls {
  private readonly running = new Map<string, Promise<unknown>>();

  constructor(
    private readonly claims: PgCallClaims,
    private readonly clock: Clock,
  ) {}

  /** The same key at the same moment waits for the first call's answer. */
  async run(call: CallIdentity, work: () => Promise<Answer>): Promise<Answer> {
    const name = JSON.stringify([call.tenantId, call.key]);
    const before = this.running.get(name) ?? Promise.resolve();
    const mine = before.then(() => this.once(call, work));
    const settled = mine.then(
      () => undefined,
      () => undefined,
    );
    this.running.set(name, settled);
    try {
      return await mine;
    } finally {
      if (this.running.get(name) === settled) this.running.delete(name);
    }
  }

  private async once(call: CallIdentity, work: () => Promise<Answer>): Promise<Answer> {
    const claim = await this.claims.claim(call, this.clock.now());
    if (claim.state === 'other') throw reusedKey(claim.route);
    if (claim.state === 'answered') return replayed(claim.answer);
    try {
      const answer = await work();
      await this.claims.answer(call, answer);
      return answer;
    } catch (error) {
      if (error instanceof ProblemException && error.problem.status < 500)
        await this.claims.answer(call, { status: error.problem.status, body: error.problem });
      throw error;
    }
  }
}

function replayed(answer: Answer): Answer {
  if (answer.status >= 400) throw new ProblemException(answer.body as Problem);
  return answer;
}
