import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { problem, Public } from '@tallygate/platform';
import type { WithRawBody } from '@tallygate/platform';
import type { FastifyRequest } from 'fastify';
import { Webhooks } from '../service/webhooks.service';
import type { WebhookAnswer } from '../service/webhooks.service';

const REFUSALS: Readonly<Partial<Record<WebhookAnswer, readonly [number, string, string]>>> = {
  unreadable: [400, 'webhook_unreadable', 'The body is no event of this provider'],
  forged: [401, 'webhook_signature', 'The signature does not match'],
  refused: [400, 'webhook_mismatch', 'The event names no payment of its own mode'],
};

/** Where payment providers call. The signature over the raw body is the credential. */
@Controller('v1/providers')
export class WebhookController {
  constructor(private readonly webhooks: Webhooks) {}

  @Post(':provider/webhooks')
  @Public()
  @HttpCode(200)
  async take(@Param('provider') provider: string, @Req() request: FastifyRequest & WithRawBody) {
    if (provider !== 'sandbox') throw problem(404, 'provider_unknown', 'There is no such payment provider');
    const answer = await this.webhooks.take(request.rawBody ?? Buffer.alloc(0), headersOf(request));
    const refusal = REFUSALS[answer];
    if (refusal !== undefined) throw problem(...refusal);
    return { status: answer };
  }
}

function headersOf({ headers }: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}
