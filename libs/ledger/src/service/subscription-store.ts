import type { SubscriptionFacts } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { QuotaReset } from '../domain';

/** The history of subscriptions, and what wallets and quotas copy from billing's facts. */
export abstract class SubscriptionStore {
  /** @returns false when this version is known */
  abstract append(
    tx: Tx,
    tenantId: string,
    facts: SubscriptionFacts,
    effectiveAt: Instant,
    zone: string,
  ): Promise<boolean>;
  /** A reset by call, kept with every version of the customer's subscriptions. */
  abstract addReset(tx: Tx, tenantId: string, customerId: string, reset: QuotaReset): Promise<void>;
  abstract moveZone(tx: Tx, tenantId: string, customerId: string, zone: string): Promise<void>;
  /**
   * Copies the customer's budgets to every version of its subscriptions: usage of any time counts towards them.
   * @returns whether they are others than before
   */
  abstract takeBudgets(tx: Tx, tenantId: string, customerId: string): Promise<boolean>;
  /** Copies overdrafts, of the customer before the plan's, and the tenant's lateness to wallets that have others. */
  abstract refreshWallets(tx: Tx, tenantId: string, customerId: string | null): Promise<void>;
}
