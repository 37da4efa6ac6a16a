import type { Nano } from '@tallygate/kernel';
import { minNano } from '@tallygate/kernel';
import { owe, repayAll } from './burn';
import { isClosed } from './lot';
import type { Lot } from './lot';
import { creditSeen, insertLot, post } from './wallet';
import type { WalletDraft } from './wallet';

/**
 * Money that bought credit went back (semantics §3 "Top-up"): as much credit is taken from the purchase's own lots, and
 * what was spent of it becomes debt.
 */
export function takeBack(draft: WalletDraft, lots: readonly Lot[], amount: Nano, reference: string): void {
  let left = amount;
  for (const lot of lots.filter((one) => !isClosed(one))) {
    const taken = minNano(lot.remaining, left);
    if (taken === 0n) continue;
    lot.remaining -= taken;
    left -= taken;
    if (lot.remaining === 0n) creditSeen(draft.wallet, draft.now);
    post(draft, 'reversal', lot, { free: -taken, reference });
  }
  if (left > 0n) owe(draft, { feature: null, amount: left, occurredAt: draft.now }, left);
}

/** The money is ours after all: its credit returns to the lot, and repays what taking it back left owed. */
export function giveBack(draft: WalletDraft, lot: Lot, amount: Nano, reference: string): void {
  if (isClosed(lot)) return;
  if (!draft.wallet.lots.includes(lot)) insertLot(draft.wallet, lot);
  lot.remaining += amount;
  creditSeen(draft.wallet, draft.now);
  post(draft, 'reversal', lot, { free: amount, reference });
  repayAll(draft, draft.now);
}
