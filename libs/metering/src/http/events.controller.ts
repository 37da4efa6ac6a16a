import { Controller, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CORRECTION_TYPE } from '@tallygate/contracts';
import { Api, grants, Operation, principalOf, problem, RequireScope } from '@tallygate/platform';
import type { Authenticated, Principal } from '@tallygate/platform';
import { AcceptUsage } from '../service/accept-usage.service';
import { answerTo } from './acceptance-answer';
import { durable } from './durable';
import { eventRequest } from './event-request';
import { EVENTS, INGESTION_TAG } from './operations';

/** The door for usage over HTTP: CloudEvents 1.0 in structured, binary and batch mode. */
@Api(INGESTION_TAG)
@Controller('v1/events')
export class EventsController {
  constructor(private readonly usage: AcceptUsage) {}

  @Post()
  @Operation(EVENTS.take)
  @RequireScope('usage:write')
  async take(
    @Req() request: FastifyRequest & Authenticated,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const principal = principalOf(request);
    const sent = eventRequest(request);
    refuseCorrections(principal, sent.events);
    const answers = await durable(() => this.usage.accept(principal.tenantId, sent.events));
    const answer = answerTo(sent, answers);
    void reply.status(answer.status);
    return answer.body;
  }
}

/** A gate's key may report usage; giving credit back takes a key that may write. */
function refuseCorrections({ scopes }: Principal, events: readonly unknown[]): void {
  if (grants(scopes, 'write') || !events.some(isCorrection)) return;
  throw problem(403, 'scope_missing', 'This API key may not correct usage', {
    detail: 'Corrections need a key of the scope write.',
    required_scope: 'write',
  });
}

function isCorrection(event: unknown): boolean {
  return (event as { readonly type?: unknown } | null)?.type === CORRECTION_TYPE;
}
