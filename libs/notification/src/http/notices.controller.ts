import { Controller, Get, Param } from '@nestjs/common';
import { formatInstant } from '@tallygate/kernel';
import { CurrentPrincipal, type Principal, RequireScope, problem } from '@tallygate/platform';
import { NoticeFeed } from '../service/ports';

/** The in-product feed of a customer's notices, and the operator's alerts. */
@Controller('v1')
export class NoticesController {
  constructor(private readonly feed: NoticeFeed) {}

  @Get('customers/:customer/notices')
  @RequireScope('read')
  async notices(@CurrentPrincipal() { tenantId }: Principal, @Param('customer') key: string) {
    const customer = await this.feed.customer(tenantId, key);
    if (customer === null)
      throw problem(404, 'customer_unknown', 'There is no such customer', {
        detail: `No customer has the key "${key}".`,
      });
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
  @RequireScope('read')
  async alerts(@CurrentPrincipal() { tenantId }: Principal) {
    const list = await this.feed.alerts(tenantId);
    return { alerts: list.map(({ at, kind, detail }) => ({ at: formatInstant(at), kind, detail })) };
  }
}
