import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { Api, Operation, ZodBody } from '@tallygate/platform';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { CallIdentity } from '../postgres/idempotency.pg-store';
import type { Which } from '../service/invoicing.service';
import { Payments } from '../service/payments.service';
import type { PaidOutcome } from '../service/payments.service';
import type { Caller } from '../service/tenant-session';
import { CurrentCaller } from './caller';
import { IdempotentCalls, MoneyCall } from './idempotent-calls';
import { INVOICES } from './customer-operations';
import { BILLING_TAG } from './operations';
import { notFound, refused } from './refusals';
import { amountBody, payBody, refundBody, which } from './requests';
import { invoiceView } from './views';

/** Invoices that a customer (or its payer) pays. `:which` is oldest, newest or a number, among those that fit. */
@Api(BILLING_TAG)
@Controller('v1/customers/:customer/invoices')
export class InvoicesController {
  constructor(
    private readonly payments: Payments,
    private readonly calls: IdempotentCalls,
  ) {}

  @Get()
  @Operation(INVOICES.list)
  async list(@CurrentCaller() caller: Caller, @Param('customer') key: string) {
    const invoices = await this.payments.list(caller, key);
    if (invoices === null) throw notFound('customer');
    return { invoices: invoices.map(invoiceView) };
  }

  /** 200: paid. 202: no outcome yet. 402: declined. 409: nothing is owed, or a payment is open. */
  @Post(':which/pay')
  @Operation(INVOICES.pay)
  @HttpCode(200)
  async pay(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Param('which', new ZodBody(which)) chosen: Which,
    @Body(new ZodBody(payBody)) { through }: z.output<typeof payBody>,
    @MoneyCall() call: CallIdentity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.answer(call, reply, () => this.payments.payNow(caller, key, chosen, through), 202);
  }

  @Post(':which/forgive')
  @Operation(INVOICES.forgive)
  @HttpCode(200)
  async forgive(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Param('which', new ZodBody(which)) chosen: Which,
    @Body(new ZodBody(amountBody)) { amount }: z.output<typeof amountBody>,
    @MoneyCall() call: CallIdentity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const action = { which: chosen, amount: amount ?? null };
    return this.answer(call, reply, () => this.payments.settle(caller, key, action, 'forgive'));
  }

  @Post(':which/external-payment')
  @Operation(INVOICES.externalPayment)
  @HttpCode(200)
  async externalPayment(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Param('which', new ZodBody(which)) chosen: Which,
    @Body(new ZodBody(amountBody)) { amount }: z.output<typeof amountBody>,
    @MoneyCall() call: CallIdentity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const action = { which: chosen, amount: amount ?? null };
    return this.answer(call, reply, () => this.payments.settle(caller, key, action, 'external_payment'));
  }

  @Post(':which/write-off')
  @Operation(INVOICES.writeOff)
  @HttpCode(200)
  async writeOff(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Param('which', new ZodBody(which)) chosen: Which,
    @Body(new ZodBody(amountBody)) { amount }: z.output<typeof amountBody>,
    @MoneyCall() call: CallIdentity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const action = { which: chosen, amount: amount ?? null };
    return this.answer(call, reply, () => this.payments.writeOff(caller, key, action));
  }

  @Post(':which/refund')
  @Operation(INVOICES.refund)
  @HttpCode(200)
  async refund(
    @CurrentCaller() caller: Caller,
    @Param('customer') key: string,
    @Param('which', new ZodBody(which)) chosen: Which,
    @Body(new ZodBody(refundBody)) { amount, reopen }: z.output<typeof refundBody>,
    @MoneyCall() call: CallIdentity,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const action = { which: chosen, amount: amount ?? null };
    return this.answer(call, reply, () => this.payments.refund(caller, key, action, reopen));
  }

  private async answer(
    call: CallIdentity,
    reply: FastifyReply,
    work: () => Promise<PaidOutcome>,
    unsettled = 200,
  ): Promise<unknown> {
    const answer = await this.calls.run(call, async () => {
      const outcome = await work();
      if (!outcome.ok) throw refused(outcome.error);
      const { invoice, settled } = outcome.value;
      return { status: settled ? 200 : unsettled, body: invoiceView(invoice) };
    });
    reply.status(answer.status);
    return answer.body;
  }
}
