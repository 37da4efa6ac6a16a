import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { Api, Operation, Public } from '@tallygate/platform';
import type { WithRawBody } from '@tallygate/platform';
import type { FastifyRequest } from 'fastify';
import { Webhooks } from '../service/webhooks.service';
import { DUNNING_TAG, REFUSALS, WEBHOOKS } from './operations';

/** Where payment providers call. The signature over the raw body is the credential. */
@Api(DUNNING_TAG)
@Controller('v1/providers')
export class WebhookController {
  constructor(private readonly webhooks: Webhooks) {}

  @Post(':provider/webhooks')
  @Operation(WEBHOOKS.take)
  @Public()
  @HttpCode(200)
  async take(@Param('provider') provider: string, @Req() request: FastifyRequest & WithRawBody) {
    if (provider !== 'sandbox') throw REFUSALS.provider_unknown();
    const answer = await this.webhooks.take(request.rawBody ?? Buffer.alloc(0), headersOf(request));
    if (answer === 'unreadable' || answer === 'forged' || answer === 'refused') throw REFUSALS[answer]();
    return { status: answer };
  }
}

function headersOf({ headers }: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}
