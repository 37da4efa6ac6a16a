import { Controller, Get, Param } from '@nestjs/common';
import { Directory } from '@tallygate/directory';
import { formatInstant } from '@tallygate/kernel';
import {
  CurrentPrincipal,
  Database,
  type Principal,
  RequireScope,
  instantFromPg,
  problem,
} from '@tallygate/platform';
import { type NoticeRow, noticeOf } from '../postgres/notice.pg-store';

const FEED = {
  name: 'notice_feed',
  text: 'select * from notice where tenant_id = $1 and customer_id = $2 order by sequence limit 1000',
};
const ALERTS = {
  name: 'alert_list',
  text: 'select kind, detail, at from alert where tenant_id = $1 order by sequence desc limit 1000',
};

/** The in-product feed of a customer's notices, and the operator's alerts. */
@Controller('v1')
export class NoticesController {
  constructor(
    private readonly database: Database,
    private readonly directory: Directory,
  ) {}

  @Get('customers/:customer/notices')
  @RequireScope('read')
  async notices(@CurrentPrincipal() { tenantId }: Principal, @Param('customer') key: string) {
    const customer = await this.directory.resolveCustomer(tenantId, key);
    if (customer === null)
      throw problem(404, 'customer_unknown', 'There is no such customer', {
        detail: `No customer has the key "${key}".`,
      });
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<NoticeRow>(FEED, [tenantId, customer.id]),
    );
    return {
      notices: rows
        .map(noticeOf)
        .map(({ id, at, kind, subject, threshold, details }) => ({
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
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<{ kind: string; detail: string; at: string }>(ALERTS, [tenantId]),
    );
    return {
      alerts: rows
        .reverse()
        .map(({ kind, detail, at }) => ({ at: formatInstant(instantFromPg(at)), kind, detail })),
    };
  }
}
