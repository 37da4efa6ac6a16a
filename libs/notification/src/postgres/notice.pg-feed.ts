import { Injectable } from '@nestjs/common';
import type { CustomerFacts } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { Database, instantFromPg } from '@tallygate/platform';
import { type Alert, NoticeFeed, type StoredNotice } from '../service/ports';
import { type NoticeRow, noticeOf } from './notice.pg-store';
import * as sql from './sql/notices';

@Injectable()
export class PgNoticeFeed extends NoticeFeed {
  constructor(
    private readonly database: Database,
    private readonly directory: Directory,
  ) {
    super();
  }

  override customer(tenantId: string, key: string): Promise<CustomerFacts | null> {
    return this.directory.resolveCustomer(tenantId, key);
  }

  override async notices(tenantId: string, customerId: string): Promise<readonly StoredNotice[]> {
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<NoticeRow>(sql.feed, [tenantId, customerId]),
    );
    return rows.map(noticeOf).reverse();
  }

  override async alerts(tenantId: string): Promise<readonly Alert[]> {
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<{ kind: string; detail: string; at: string }>(sql.alerts, [tenantId]),
    );
    return rows.map(({ kind, detail, at }) => ({ kind, detail, at: instantFromPg(at) })).reverse();
  }
}
