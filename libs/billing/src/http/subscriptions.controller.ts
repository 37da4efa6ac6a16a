import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { Api, Operation, ZodBody } from '@tallygate/platform';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { CustomerFlags } from '../service/flags.service';
import { Payments } from '../service/payments.service';
import { Subscriptions } from '../service/subscriptions.service';
import type { SubscriptionAnswer } from '../service/subscriptions.service';
import type { Caller } from '../service/tenant-session';
import type { CallIdentity } from '../postgres/idempotency.pg-store';
import { CurrentCaller } from './caller';
import { IdempotentCalls, MoneyCall } from './idempotent-calls';
import { SUBSCRIPTIONS } from './customer-operations';
import { BILLING_TAG } from './operations';
import { noSubscription, notFound, refused } from './refusals';
import { approvalBody, cancelBody, changeBody, noBody, subscribeBody } from './requests';
import { flagsView, subscriptionView } from './views';

/** A customer's one subscription. */
@Api(BILLING_TAG)
@Controller('v1/customers/:customer/subscription')
export class SubscriptionsController {
  constructor(
    private readonly subscriptions: Subscriptions,
    private readonly payments: Payments,
    private readonly flags: CustomerFlags,
    private readonly calls: IdempotentCalls,
  ) {}

  @Get()
  @Operation(SUBSCRIPTIONS.show)
  async show(@CurrentCaller() caller: Caller, @Param('customer') key: string) {
    const found = await this.subscriptions.latest(caller, key);
    if (found === null) throw noSubscription();
    return subscriptionView(found, key);
  }

  @Post()
  @Operation(SUBSCRIPTIONS.subscribe)
  async subscribe(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(subscribeBody)) body: z.output<typeof subscribeBody>,
  ) {
    const request = {
      plan: body.plan,
      startsAt: body.starts_at ?? null,
      trialDays: body.trial_days ?? null,
      coupon: body.coupon ?? null,
    };
    return shown(await this.subscriptions.subscribe(caller, key, request), key);
  }

  @Post('cancel')
  @Operation(SUBSCRIPTIONS.cancel)
  @HttpCode(200)
  async cancel(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(cancelBody)) { at_period_end }: z.output<typeof cancelBody>,
  ) {
    return shown(await this.subscriptions.cancel(caller, key, at_period_end), key);
  }

  @Post('pause')
  @Operation(SUBSCRIPTIONS.pause)
  @HttpCode(200)
  async pause(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(noBody)) _: object,
  ) {
    return shown(await this.subscriptions.step(caller, key, 'pause'), key);
  }

  @Post('resume')
  @Operation(SUBSCRIPTIONS.resume)
  @HttpCode(200)
  async resume(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(noBody)) _: object,
  ) {
    return shown(await this.subscriptions.step(caller, key, 'resume'), key);
  }

  @Post('approve')
  @Operation(SUBSCRIPTIONS.approve)
  @HttpCode(200)
  async approve(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(approvalBody)) { feature }: z.output<typeof approvalBody>,
  ) {
    if (feature !== undefined) return this.decideFeature(caller, key, feature, 'approved');
    return shown(await this.subscriptions.step(caller, key, 'approve'), key);
  }

  @Post('reject')
  @Operation(SUBSCRIPTIONS.reject)
  @HttpCode(200)
  async reject(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(approvalBody)) { feature }: z.output<typeof approvalBody>,
  ) {
    if (feature !== undefined) return this.decideFeature(caller, key, feature, 'rejected');
    return shown(await this.subscriptions.step(caller, key, 'reject'), key);
  }

  /** 200: changed, or noted for the period's end. 202: the charge has no outcome yet. 402: declined, nothing changed. */
  @Post('change')
  @Operation(SUBSCRIPTIONS.change)
  async change(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Body(new ZodBody(changeBody)) body: z.output<typeof changeBody>,
    @MoneyCall() call: CallIdentity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const request = { plan: body.plan, coupon: body.coupon ?? null, atPeriodEnd: body.at_period_end };
    const answer = await this.calls.run(call, async () => {
      const outcome = await this.payments.changePlan(caller, key, request);
      if (!outcome.ok) throw refused(outcome.error);
      const { subscription, settled } = outcome.value;
      return { status: settled ? 200 : 202, body: subscriptionView(subscription, key) };
    });
    reply.status(answer.status);
    return answer.body;
  }

  private async decideFeature(
    caller: Caller,
    key: string,
    feature: string,
    decision: 'approved' | 'rejected',
  ) {
    const flags = await this.flags.decideFeature(caller, key, feature, decision);
    if (flags === null) throw notFound('customer');
    return { customer: key, ...flagsView(flags) };
  }
}

function shown(outcome: SubscriptionAnswer, key: string) {
  if (outcome.ok) return subscriptionView(outcome.value, key);
  throw refused({ code: outcome.error });
}
