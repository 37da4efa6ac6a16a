import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';

export interface DueQuota {
  readonly tenantId: string;
  readonly customerId: string;
  readonly feature: string;
  readonly periodStart: Instant;
}

/** Rows whose instant has come. */
export abstract class DueStore {
  abstract wallets(
    tx: Tx,
    scope: string | null,
    systemNow: Instant,
    most: number,
  ): Promise<readonly { readonly id: bigint; readonly tenantId: string }[]>;
  abstract quotas(
    tx: Tx,
    scope: string | null,
    systemNow: Instant,
    most: number,
  ): Promise<readonly DueQuota[]>;
  /** @returns false when another sweep did it */
  abstract markRolledOver(tx: Tx, quota: DueQuota): Promise<boolean>;
  abstract next(tx: Tx, tenantId: string, after: Instant): Promise<Instant | null>;
}
