import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, TenantTime } from '@tallygate/platform';
import type { Sweeper } from '@tallygate/platform';
import { DueStore } from './due-store';
import type { DueQuota } from './due-store';
import { Quotas } from './quotas.service';
import { WalletPosting } from './wallet-posting';

const MOST_AT_ONCE = 200;

/** What time does by itself: lots start and expire, holds end, grants recur, quotas begin a new period. */
@Injectable()
export class LedgerSweeper implements Sweeper {
  readonly name = 'ledger';

  constructor(
    private readonly database: Database,
    private readonly due: DueStore,
    private readonly posting: WalletPosting,
    private readonly quotas: Quotas,
    private readonly time: TenantTime,
  ) {}

  async sweep(scope: string | null, systemNow: Instant): Promise<number> {
    return (await this.sweepWallets(scope, systemNow)) + (await this.sweepQuotas(scope, systemNow));
  }

  async nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    return this.database.asWorker((tx) => this.due.next(tx, tenantId, after));
  }

  /** Opening a wallet lets pass what was due; a wallet that another sweep opened first has nothing left to write. */
  private async sweepWallets(scope: string | null, systemNow: Instant): Promise<number> {
    const due = await this.database.asWorker((tx) => this.due.wallets(tx, scope, systemNow, MOST_AT_ONCE));
    if (due.length === 0) return 0;
    const nows = await this.time.nowOf(due.map((one) => one.tenantId));
    return this.database.asWorker(async (tx) => {
      const ids = due.map((one) => one.id);
      const open = await this.posting.openById(tx, ids, (tenantId) => nows.get(tenantId) ?? systemNow);
      const changed = open.filter(({ draft, locked }) => draft.entries.length > 0 || locked.dueAt !== null);
      await this.posting.close(tx, changed, 'all');
      return changed.length;
    });
  }

  private async sweepQuotas(scope: string | null, systemNow: Instant): Promise<number> {
    const due = await this.database.asWorker((tx) => this.due.quotas(tx, scope, systemNow, MOST_AT_ONCE));
    for (const quota of due) await this.rollOver(quota);
    return due.length;
  }

  private async rollOver(quota: DueQuota): Promise<void> {
    const now = await this.time.now(quota.tenantId);
    await this.database.asWorker(async (tx) => {
      if (await this.due.markRolledOver(tx, quota))
        await this.quotas.open(tx, quota.tenantId, quota.customerId, now);
    });
  }
}
