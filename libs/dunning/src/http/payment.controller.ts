import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import type { PayAnswer, RefundAnswer } from '@tallygate/contracts';
import { Api, InternalGuard, Operation, ZodBody } from '@tallygate/platform';
import { Paying } from '../service/paying.service';
import { Refunding } from '../service/refunding.service';
import { DUNNING_TAG, PAYMENTS } from './operations';
import { payBody, refundBody } from './payment.schema';
import type { PayBody, RefundBody } from './payment.schema';

/** What billing asks for and waits for. */
@Api(DUNNING_TAG)
@Controller('internal')
@UseGuards(InternalGuard)
export class PaymentController {
  constructor(
    private readonly paying: Paying,
    private readonly refunding: Refunding,
  ) {}

  @Post('pay')
  @Operation(PAYMENTS.pay)
  @HttpCode(200)
  pay(@Body(new ZodBody(payBody)) body: PayBody): Promise<PayAnswer> {
    return this.paying.pay(body);
  }

  @Post('refund')
  @Operation(PAYMENTS.refund)
  @HttpCode(200)
  refund(@Body(new ZodBody(refundBody)) body: RefundBody): Promise<RefundAnswer> {
    return this.refunding.refund(body);
  }
}
