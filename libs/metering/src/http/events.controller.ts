import { Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problem, PublishError, principalOf, RequireScope } from '@tallygate/platform';
import type { Authenticated } from '@tallygate/platform';
import { AcceptUsage } from '../service/accept-usage.service';
import type { Acceptance } from '../service/accept-usage.service';
import { batchAnswer, singleAnswer } from './acceptance-answer';
import { eventRequest } from './event-request';

/** The door for usage over HTTP: CloudEvents 1.0 in structured, binary and batch mode. */
@Controller('v1/events')
export class EventsController {
  constructor(private readonly usage: AcceptUsage) {}

  @Post()
  @RequireScope('usage:write')
  async take(
    @Req() request: FastifyRequest & Authenticated,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const { tenantId } = principalOf(request);
    const sent = eventRequest(request);
    const answers = await this.accept(tenantId, sent.kind === 'single' ? [sent.event] : sent.events);
    const answer = sent.kind === 'single' ? singleAnswer(answers[0] as Acceptance) : batchAnswer(answers);
    void reply.status(answer.status);
    return answer.body;
  }

  private async accept(tenantId: string, events: readonly unknown[]): Promise<readonly Acceptance[]> {
    return this.usage.accept(tenantId, events).catch((error: unknown) => {
      if (error instanceof PublishError) throw notDurable();
      throw error;
    });
  }
}

function notDurable() {
  return problem(503, 'usage_not_durable', 'Usage cannot be stored now', {
    detail: 'Nothing is lost or counted twice when the same events are sent again.',
    retryable: true,
  });
}
