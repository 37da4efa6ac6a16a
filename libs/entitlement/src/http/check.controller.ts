import { Body, Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import {
  Api,
  CurrentPrincipal,
  OneOfScopes,
  Operation,
  Public,
  RequireScope,
  ZodBody,
} from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { CheckService } from '../service/check-service';
import { tenantInScope } from '../service/feed-access';
import { checkBody, keyText, requestOf } from './check-body';
import type { CheckBody } from './check-body';
import { checkAnswer, entitlementAnswer } from './check-answer';
import { CHECK, ENTITLEMENT_TAG, REFUSALS } from './operations';
import { FeedGuard, FeedTenant } from './feed-guard';

/** Preflight and live checks: the answer a gate would give now, without using anything up. */
@Api(ENTITLEMENT_TAG)
@Controller('v1')
export class CheckController {
  constructor(private readonly checks: CheckService) {}

  @Post('check')
  @Operation(CHECK.check)
  @HttpCode(200)
  @Public()
  @UseGuards(FeedGuard)
  @OneOfScopes('gate', 'read')
  async check(
    @FeedTenant() granted: string | null,
    @Body(new ZodBody(checkBody)) body: CheckBody,
  ): Promise<unknown> {
    const tenantId = tenantInScope(granted, body.tenant_id ?? null);
    if (tenantId === 'forbidden') throw REFUSALS.other_tenant();
    return checkAnswer(await this.checks.check(requestOf(body, tenantId)));
  }

  @Get('customers/:customer/entitlements/:feature')
  @Operation(CHECK.entitlement)
  @RequireScope('read')
  async entitlement(
    @CurrentPrincipal() { tenantId }: Principal,
    @Param('customer') customer: string,
    @Param('feature', new ZodBody(keyText)) feature: string,
  ): Promise<unknown> {
    const view = await this.checks.entitlement(tenantId, customer, feature);
    if (view.outcome === 'unknown_customer') {
      throw REFUSALS.customer_not_found(customer);
    }
    return entitlementAnswer(customer, feature, view);
  }
}
