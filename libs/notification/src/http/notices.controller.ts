import { Controller, Get, Param } from '@nestjs/common';
import { formatInstant } from '@tallygate/kernel';
import { Api, CurrentPrincipal, Operation, type Principal, RequireScope } from '@tallygate/platform';
import { NoticeFeed } from '../service/ports';
import { customerUnknown, NOTICES, NOTIFIER_TAG } from './operations';

/** The in-product feed of a customer's notices, and the operator's alerts. */
@Api(NOTIFIER_TAG)
@Controller('v1')
export class NoticesController {
  constructor(private readonly feed: NoticeFeed) {}

  @Get('customers/:customer/notices')
  @Operation(NOTICES.notices)
  @RequireScope('read')
  async notices(@CurrentPrincipal() { tenantId }: Principal, @Param('customer') key: string) {
    const customer = await this.feed.customer(tenantId, key);
    if (customer === null) throw customerUnknown(key);
    const list = await this.feed.notices(tenantId, customer.id);
    return {
      notices: list.map(({ id, at, kind, subject, threshold, details }) => ({
        id,
        at: formatInstant(at),
        kind,
        subject,
        threshold,
        details,
      })),
    };
  }

  @Get('alerts')
  @Operation(NOTICES.alerts)
  @RequireScope('read')
  async alerts(@CurrentPrincipal() { tenantId }: Principal) {
    const list = await this.feed.alerts(tenantId);
    return { alerts: list.map(({ at, kind, detail }) => ({ at: formatInstant(at), kind, detail })) };
  }
}
