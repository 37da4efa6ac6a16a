import type { Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import { sumOf } from '../domain';
import type { Entry, Lot, Wallet, WalletDraft, WalletKey } from '../domain';

/** A wallet as locked, with what the draft's saving must know. */
export interface LockedWallet {
  readonly wallet: Wallet;
  readonly revision: number;
  /** Whether open holds pin credit of it. */
  readonly holding: boolean;
  /** Whether it owes anything. */
  readonly owing: boolean;
  /** As stored: the wallet's own move while it is in work. */
  readonly lastExpiryAt: Instant | null;
  readonly lastCreditAt: Instant | null;
  readonly dueAt: Instant | null;
  /** How far free credit less debt moved since the wallet's facts last left; null: not known. */
  readonly untold: Nano | null;
}

/** Wallets in the ledger's tables, many at once: one statement per table whatever the number. */
export abstract class WalletStore {
  /** The wallets' ids, in the order of the keys; those that are missing are made. */
  abstract ensure(tx: Tx, keys: readonly WalletKey[]): Promise<readonly bigint[]>;
  /** The wallet's id, or null when the customer never had one in this unit. */
  abstract find(tx: Tx, key: WalletKey): Promise<bigint | null>;
  /** Locks the wallets in the order of their ids, then reads them with everything that is not done with. */
  abstract lock(tx: Tx, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, LockedWallet>>;
  /** The same without a lock, in one snapshot with the caller's other reads only as far as the isolation goes. */
  abstract read(tx: Tx, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, LockedWallet>>;
  /** Every lot the wallet ever had. */
  abstract allLots(tx: Tx, walletId: bigint): Promise<readonly Lot[]>;
  /**
   * Writes what the drafts did: journal, lots, debts, holds, recurrences, balances. The journal's versions go on
   * without a gap from the wallet's.
   */
  abstract save(tx: Tx, work: readonly SavedWork[], sliceId: bigint | null): Promise<void>;
}

export interface SavedWork {
  readonly locked: LockedWallet;
  readonly draft: WalletDraft;
  /** Its facts leave with this transaction. */
  readonly published: boolean;
}

/** @param entries posted since it was locked @returns how far it moved since its facts last left; null: not known */
export function untoldOf({ untold }: LockedWallet, entries: readonly Entry[]): Nano | null {
  if (untold === null) return null;
  const { free, debt } = sumOf(entries);
  return untold + free - debt;
}
