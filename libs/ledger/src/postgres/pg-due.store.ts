import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { instantFromPg, instantOrNullFromPg, pgInstant } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { DueStore } from '../service/due-store';
import type { DueQuota } from '../service/due-store';
import * as sql from './sql/due';

@Injectable()
export class PgDueStore extends DueStore {
  override async wallets(tx: Tx, scope: string | null, systemNow: Instant, most: number) {
    const { rows } = await tx.query<{ id: bigint; tenant_id: string }>(sql.dueWallets, [
      scope,
      pgInstant(systemNow),
      most,
    ]);
    return rows.map((row) => ({ id: row.id, tenantId: row.tenant_id }));
  }

  override async quotas(
    tx: Tx,
    scope: string | null,
    systemNow: Instant,
    most: number,
  ): Promise<readonly DueQuota[]> {
    const { rows } = await tx.query<{
      tenant_id: string;
      customer_id: string;
      feature: string;
      period_start: string;
    }>(sql.dueQuotas, [scope, pgInstant(systemNow), most]);
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      customerId: row.customer_id,
      feature: row.feature,
      periodStart: instantFromPg(row.period_start),
    }));
  }

  override async markRolledOver(tx: Tx, quota: DueQuota): Promise<boolean> {
    const { rowCount } = await tx.query(sql.rolledOver, [
      quota.tenantId,
      quota.customerId,
      quota.feature,
      pgInstant(quota.periodStart),
    ]);
    return rowCount === 1;
  }

  override async next(tx: Tx, tenantId: string, after: Instant): Promise<Instant | null> {
    const { rows } = await tx.query<{ due_at: string | null }>(sql.nextDue, [tenantId, pgInstant(after)]);
    return instantOrNullFromPg(rows[0]?.due_at ?? null);
  }
}
