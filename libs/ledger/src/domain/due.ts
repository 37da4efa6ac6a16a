import { addMicros } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { closeLot, issueRecurring, lotDueAt, startLot } from './grant';
import { expireHold } from './hold';
import { isClosed } from './lot';
import type { Wallet, WalletDraft } from './wallet';

/**
 * Everything that the passing of time does to a wallet, instant by instant up to now, however late it is called: each
 * posting carries its own instant, so a late sweep and a punctual one write the same journal. Every change of a wallet
 * begins with this.
 */
export function settleDue(draft: WalletDraft): void {
  for (let at = walletDueAt(draft.wallet); at !== null && at <= draft.now; at = walletDueAt(draft.wallet)) {
    settleAt(draft, at);
  }
}

/** The wallet's next instant at which something happens by itself. */
export function walletDueAt(wallet: Wallet): Instant | null {
  let next: Instant | null = null;
  const consider = (at: Instant | null): void => {
    if (at !== null && (next === null || at < next)) next = at;
  };
  for (const lot of wallet.lots) consider(lotDueAt(lot, wallet.latenessMicros));
  for (const hold of wallet.holds) if (hold.state === 'open') consider(hold.expiresAt);
  for (const recurrence of wallet.recurrences) consider(recurrence.nextAt);
  return next;
}

/** Expiries come before anything else of their instant; starts last, so that they see what was released. */
function settleAt(draft: WalletDraft, at: Instant): void {
  const { lots, holds, recurrences, latenessMicros } = draft.wallet;
  for (const lot of [...lots]) {
    const ends =
      lot.state === 'live' && lot.expiresAt !== null ? addMicros(lot.expiresAt, latenessMicros) : null;
    if (ends !== null && ends <= at) closeLot(draft, lot, 'expired', at);
  }
  for (const hold of holds) if (hold.state === 'open' && hold.expiresAt <= at) expireHold(draft, hold, at);
  for (const recurrence of recurrences) {
    if (recurrence.nextAt !== null && recurrence.nextAt <= at) issueRecurring(draft, recurrence, at);
  }
  for (const lot of [...lots]) {
    if (lot.state === 'pending' && !isClosed(lot) && lot.effectiveAt <= at) startLot(draft, lot, at);
  }
}
