import { Body, Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { CurrentPrincipal, Public, RequireScope, ZodBody, problem } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { CheckService } from '../service/check-service';
import { tenantInScope } from '../service/feed-access';
import { checkBody, requestOf } from './check-body';
import type { CheckBody } from './check-body';
import { checkAnswer, entitlementAnswer } from './check-answer';
import { FeedGuard, FeedScopes, FeedTenant } from './feed-guard';

/** Preflight and live checks: the answer a gate would give now, without using anything up. */
@Controller('v1')
export class CheckController {
  constructor(private readonly checks: CheckService) {}

  @Post('check')
  @HttpCode(200)
  @Public()
  @UseGuards(FeedGuard)
  @FeedScopes('gate', 'read')
  async check(
    @FeedTenant() granted: string | null,
    @Body(new ZodBody(checkBody)) body: CheckBody,
  ): Promise<Record<string, unknown>> {
    const tenantId = tenantInScope(granted, body.tenant_id ?? null);
    if (tenantId === 'forbidden') throw problem(403, 'other_tenant', 'This key is of another tenant');
    return checkAnswer(await this.checks.check(requestOf(body, tenantId)));
  }

  @Get('customers/:customer/entitlements/:feature')
  @RequireScope('read')
  async entitlement(
    @CurrentPrincipal() { tenantId }: Principal,
    @Param('customer') customer: string,
    @Param('feature') feature: string,
  ): Promise<Record<string, unknown>> {
    const view = await this.checks.entitlement(tenantId, customer, feature);
    if (view.outcome === 'unknown_customer') {
      throw problem(404, 'customer_not_found', 'There is no such customer', { customer });
    }
    return entitlementAnswer(customer, feature, view);
  }
}
