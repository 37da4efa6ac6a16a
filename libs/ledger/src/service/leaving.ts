import type { Counter, WalletDraft } from '../domain';
import type { BalanceFeed } from './balance-feed';

/**
 * What a transaction takes along of the facts that wait: they left when it commits, and wait again when it fails. A
 * wallet that is in work all the time is told by its slices, without a transaction that waits for their locks.
 */
export class Leaving {
  private readonly wallets: WalletDraft[] = [];
  private readonly counters: Counter[] = [];

  constructor(private readonly feed: BalanceFeed) {}

  /** @returns whether the wallet's facts leave with this transaction */
  takesWallet(draft: WalletDraft): boolean {
    const { tenantId, id } = draft.wallet;
    const takes = this.feed.takeDueWallet(tenantId, id);
    if (takes) this.wallets.push(draft);
    return takes;
  }

  takesCounter(counter: Counter): boolean {
    const takes = this.feed.takeDueCounter(counter);
    if (takes) this.counters.push(counter);
    return takes;
  }

  committed(): void {
    this.feed.left(this.wallets, this.counters);
  }

  failed(): void {
    this.feed.gatherAgain(this.wallets, this.counters);
  }
}
