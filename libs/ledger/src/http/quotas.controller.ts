import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { formatAmount, formatInstant } from '@tallygate/kernel';
import { Api, CurrentPrincipal, Database, Operation, TenantTime, ZodBody } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import type { Counter } from '../domain';
import { Quotas } from '../service/quotas.service';
import type { ResetOutcome } from '../service/quotas.service';
import { Customers } from './customers';
import { LEDGER_TAG, QUOTA } from './operations';
import { REFUSALS } from './refusals';
import { resetBody } from './requests';

/** Quotas begun anew by a call. */
@Api(LEDGER_TAG)
@Controller('v1/customers/:customer/features/:feature')
export class QuotasController {
  constructor(
    private readonly quotas: Quotas,
    private readonly customers: Customers,
    private readonly database: Database,
    private readonly time: TenantTime,
  ) {}

  @Post('reset')
  @Operation(QUOTA.reset)
  @HttpCode(200)
  async reset(
    @CurrentPrincipal() { tenantId }: Principal,
    @Param('customer') customerKey: string,
    @Param('feature') feature: string,
    @Body(new ZodBody(resetBody)) body: z.output<typeof resetBody>,
  ): Promise<unknown> {
    const customer = await this.customers.byKey(tenantId, customerKey);
    const now = await this.time.now(tenantId);
    const request = {
      tenantId,
      customerId: customer.id,
      feature,
      at: body.at ?? null,
      keepOverage: body.keep_overage,
      keepAnchor: body.keep_anchor,
    };
    const outcome = await this.database.asTenant(tenantId, (tx) => this.quotas.reset(tx, request, now));
    return { customer: customerKey, ...viewOf(counterOf(outcome)) };
  }
}

function counterOf(outcome: ResetOutcome): Counter {
  switch (outcome.status) {
    case 'reset':
      return outcome.counter;
    case 'no_quota':
      throw REFUSALS.quota_unknown();
    case 'in_future':
      throw REFUSALS.reset_in_future();
    case 'before_period':
      throw REFUSALS.reset_before_period();
    case 'reset_before':
      throw REFUSALS.reset_repeated();
  }
}

function viewOf(counter: Counter) {
  return {
    feature: counter.feature,
    period_start: formatInstant(counter.periodStart),
    period_end: counter.periodEnd === null ? null : formatInstant(counter.periodEnd),
    used: formatAmount(counter.used),
    included: formatAmount(counter.included),
  };
}
