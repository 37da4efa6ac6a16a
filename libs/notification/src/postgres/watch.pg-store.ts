import { Injectable } from '@nestjs/common';
import { type Nano, formatAmount, parseAmount } from '@tallygate/kernel';
import { WatchStore, type WatchSubject } from '../service/ports';
import type { Session } from '../service/session';

/** No row: this version, or a later one, was seen before. */
const IS_NEWS = {
  name: 'watch_is_news',
  text: `insert into watch as w (tenant_id, customer_id, kind, key, version) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, customer_id, kind, key) do update set version = excluded.version
         where w.version < excluded.version returning version`,
};

@Injectable()
export class PgWatchStore extends WatchStore {
  override async isNews(
    { tx, tenantId }: Session,
    customerId: string,
    { kind, key }: WatchSubject,
    version: number,
  ): Promise<boolean> {
    const { rowCount } = await tx.query(IS_NEWS, [tenantId, customerId, kind, key, version]);
    return rowCount === 1;
  }

  override async announcedUsage(
    { tx, tenantId }: Session,
    customerId: string,
    feature: string,
    scope: string,
  ): Promise<Nano | null> {
    const text = `select threshold from announced_usage
                  where tenant_id = $1 and customer_id = $2 and feature = $3 and scope = $4 for update`;
    const { rows } = await tx.query<{ threshold: string }>({ name: 'announced_usage', text }, [
      tenantId,
      customerId,
      feature,
      scope,
    ]);
    const parsed = rows[0] && parseAmount(rows[0].threshold);
    return parsed?.ok ? parsed.value : null;
  }

  override async setAnnouncedUsage(
    { tx, tenantId }: Session,
    customerId: string,
    feature: string,
    scope: string,
    threshold: Nano,
  ): Promise<void> {
    const text = `insert into announced_usage (tenant_id, customer_id, feature, scope, threshold) values ($1, $2, $3, $4, $5)
                  on conflict (tenant_id, customer_id, feature, scope) do update set threshold = excluded.threshold`;
    await tx.query({ name: 'announced_usage_set', text }, [
      tenantId,
      customerId,
      feature,
      scope,
      formatAmount(threshold),
    ]);
  }

  override async firedBalances(
    { tx, tenantId }: Session,
    customerId: string,
    unit: string,
  ): Promise<readonly string[]> {
    const text = `select fired from watch where tenant_id = $1 and customer_id = $2 and kind = 'balance' and key = $3`;
    const { rows } = await tx.query<{ fired: string[] }>({ name: 'fired_balances', text }, [
      tenantId,
      customerId,
      unit,
    ]);
    return rows[0]?.fired ?? [];
  }

  override async setFiredBalances(
    { tx, tenantId }: Session,
    customerId: string,
    unit: string,
    fired: readonly string[],
  ): Promise<void> {
    const text = `update watch set fired = $4 where tenant_id = $1 and customer_id = $2 and kind = 'balance' and key = $3`;
    await tx.query({ name: 'fired_balances_set', text }, [tenantId, customerId, unit, fired]);
  }

  override async exchangeState(
    { tx, tenantId }: Session,
    customerId: string,
    { kind, key }: WatchSubject,
    state: string | null,
  ): Promise<string | null> {
    const text = `with before as (
                    select state from watch where tenant_id = $1 and customer_id = $2 and kind = $3 and key = $4 for update)
                  update watch set state = $5 where tenant_id = $1 and customer_id = $2 and kind = $3 and key = $4
                  returning (select state from before) as state`;
    const { rows } = await tx.query<{ state: string | null }>({ name: 'watch_exchange', text }, [
      tenantId,
      customerId,
      kind,
      key,
      state,
    ]);
    return rows[0]?.state ?? null;
  }
}
