import { Body, Controller, Delete, Param, Post, Put, Res } from '@nestjs/common';
import { Api, Operation, ZodBody } from '@tallygate/platform';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { CallIdentity } from '../postgres/idempotency.pg-store';
import { AutoTopUps } from '../service/auto-top-ups.service';
import type { Caller } from '../service/tenant-session';
import { TopUps } from '../service/top-ups.service';
import type { TopUpOutcome } from '../service/top-ups.service';
import { CurrentCaller } from './caller';
import { IdempotentCalls, MoneyCall } from './idempotent-calls';
import { TOP_UPS } from './customer-operations';
import { BILLING_TAG } from './operations';
import { notFound, refused, topUpDeclined } from './refusals';
import { autoTopUpBody, topUpBody, unitText } from './requests';
import { autoTopUpView, topUpView } from './views';

/** Credit for money. */
@Api(BILLING_TAG)
@Controller('v1/customers/:customer/top-ups')
export class TopUpsController {
  constructor(
    private readonly topUps: TopUps,
    private readonly calls: IdempotentCalls,
  ) {}

  /** 201: paid. 202: no outcome yet. 402: declined, with the decline code. */
  @Post()
  @Operation(TOP_UPS.buy)
  async buy(
    @CurrentCaller() caller: Caller,
    @Param('customer') customer: string,
    @Body(new ZodBody(topUpBody)) { unit, amount, key }: z.output<typeof topUpBody>,
    @MoneyCall() call: CallIdentity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const request = { unit, amount, key: key ?? call.key };
    const answer = await this.calls.run(call, async () =>
      answerOf(await this.topUps.buy(caller, customer, request)),
    );
    reply.status(answer.status);
    return answer.body;
  }
}

/** Credit that buys itself when a wallet runs low. */
@Api(BILLING_TAG)
@Controller('v1/customers/:customer/auto-top-up/:unit')
export class AutoTopUpController {
  constructor(private readonly autoTopUps: AutoTopUps) {}

  @Put()
  @Operation(TOP_UPS.set)
  async set(
    @CurrentCaller() caller: Caller,
    @Param('customer') customer: string,
    @Param('unit', new ZodBody(unitText)) unit: string,
    @Body(new ZodBody(autoTopUpBody)) body: z.output<typeof autoTopUpBody>,
  ) {
    const { threshold, amount = null, target = null, cap = null, per = null } = body;
    const terms = { threshold, increment: amount, target, cap, per };
    const rule = await this.autoTopUps.set(caller, customer, unit, terms);
    if (rule === null) throw notFound('customer');
    return { customer, ...autoTopUpView(rule) };
  }

  @Delete()
  @Operation(TOP_UPS.remove)
  async remove(
    @CurrentCaller() caller: Caller,
    @Param('customer') customer: string,
    @Param('unit', new ZodBody(unitText)) unit: string,
  ) {
    if (!(await this.autoTopUps.remove(caller, customer, unit))) throw notFound('automatic top-up');
    return { customer, unit, removed: true as const };
  }
}

function answerOf(outcome: TopUpOutcome) {
  if (!outcome.ok) throw refused({ code: outcome.error });
  const { topUp, invoice } = outcome.value;
  const body = topUpView(topUp, invoice);
  if (topUp.status === 'failed') {
    const { status: _, ...rest } = body;
    throw topUpDeclined(topUp.declineCode, { ...rest, status: topUp.status });
  }
  return { status: topUp.status === 'paid' ? 201 : 202, body };
}
