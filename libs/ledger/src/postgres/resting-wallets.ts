import { walletDueAt } from '../domain';
import type { Lot, WalletDraft } from '../domain';
import { untoldOf } from '../service/wallet-store';
import type { LockedWallet, SavedWork } from '../service/wallet-store';
import { isLive } from './wallet-rows';

/** Each takes about a kilobyte. */
const MOST_RESTING = 20_000;

/**
 * Wallets as this process committed them last. Whoever changes a wallet moves its revision: one whose revision, read
 * under the row's lock, did not move is as it rests here, and neither it nor its lots are read again.
 *
 * A revision says so on one server only. On another one, after a failover that lost commits, the same revision may be
 * another history: `server` is compared in the statement that takes the locks.
 */
export class RestingWallets {
  private readonly wallets = new Map<bigint, LockedWallet>();
  private of: string | null = null;

  /** Start of the server on which these were committed; null before the first. */
  get server(): string | null {
    return this.of;
  }

  /** What rested of another server is forgotten. */
  found(server: string): void {
    if (server !== this.of) this.wallets.clear();
    this.of = server;
  }

  has(id: bigint): boolean {
    return this.wallets.has(id);
  }

  /** A wallet in work does not rest: when its transaction is rolled back, what that left in memory must not be found. */
  take(id: bigint, revision: number): LockedWallet | undefined {
    const wallet = this.wallets.get(id);
    this.wallets.delete(id);
    return wallet?.revision === revision ? wallet : undefined;
  }

  /** After the commit. */
  rest(work: readonly SavedWork[]): void {
    for (const one of work) if (isPlain(one.draft)) this.wallets.set(one.draft.wallet.id, afterwards(one));
    for (const oldest of this.wallets.keys()) {
      if (this.wallets.size <= MOST_RESTING) break;
      this.wallets.delete(oldest);
    }
  }
}

/** Nothing but lots, of which none is new: what the database adds to a row of its own is never guessed. */
function isPlain({ wallet, issued, touchedDebts, touchedHolds, touchedRecurrences }: WalletDraft): boolean {
  const { debts, holds, recurrences } = wallet;
  const open = debts.length + holds.length + recurrences.length;
  return open + issued.size + touchedDebts.size + touchedHolds.size + touchedRecurrences.size === 0;
}

/** As the next transaction would read it. */
function afterwards({ locked, draft: { wallet, entries }, published }: SavedWork): LockedWallet {
  const { lastExpiryAt, lastCreditAt } = wallet;
  return {
    wallet: { ...wallet, version: wallet.version + entries.length, lots: liveOf(wallet.lots) },
    revision: locked.revision + 1,
    holding: false,
    owing: false,
    lastExpiryAt,
    lastCreditAt,
    dueAt: walletDueAt(wallet),
    untold: published ? 0n : untoldOf(locked, entries),
  };
}

function liveOf(lots: Lot[]): Lot[] {
  return lots.every(isLive) ? lots : lots.filter(isLive);
}
