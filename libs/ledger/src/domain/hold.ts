import type { Instant, Nano } from '@tallygate/kernel';
import { invariant, minNano } from '@tallygate/kernel';
import { drawValid, repayAll } from './burn';
import { covers, debit } from './debit';
import { closeLot } from './grant';
import { isClosed } from './lot';
import type { Lot } from './lot';
import { freeCredit, post } from './wallet';
import type { Hold, HoldState, WalletDraft } from './wallet';

export interface Reservation {
  readonly key: string;
  readonly amount: Nano;
  readonly feature: string | null;
  readonly expiresAt: Instant;
}

export type ReserveOutcome =
  { readonly status: 'reserved'; readonly hold: Hold } | { readonly status: 'insufficient_credit' };

/** Pins free credit of valid lots in burn order. A hold pins what is there: the overdraft lends to debits only. */
export function reserve(draft: WalletDraft, request: Reservation): ReserveOutcome {
  const { wallet, now } = draft;
  const pinnable = freeCredit(wallet, now, request.feature) >= request.amount;
  if (!pinnable || !covers(wallet, draft, request.feature, request.amount))
    return { status: 'insufficient_credit' };
  const hold: Hold = { ...request, id: draft.newId(), parts: [], state: 'open', resolvedAt: null };
  const short = drawValid(draft, request.feature, request.amount, (lot, taken) => {
    lot.held += taken;
    hold.parts.push({ lotId: lot.id, amount: taken });
    post(draft, 'hold', lot, { free: -taken, held: taken, feature: request.feature, reference: request.key });
  });
  invariant(short === 0n, 'A hold is covered by the lots that it pins');
  wallet.holds.push(hold);
  draft.touchedHolds.add(hold);
  return { status: 'reserved', hold };
}

export type CaptureOutcome = 'captured' | 'already_resolved' | 'hold_expired' | 'insufficient_credit';

/**
 * Takes held credit for good, in the order in which it was pinned, and releases the rest. Above the hold the rest is a
 * requested debit; when that is refused the whole capture is, and the hold stands.
 */
export function capture(draft: WalletDraft, hold: Hold, amount: Nano): CaptureOutcome {
  const refused = unresolved(draft, hold);
  if (refused !== null) return refused;
  if (amount > hold.amount) {
    const more = { amount: amount - hold.amount, feature: hold.feature, reference: hold.key };
    if (debit(draft, more) === 'insufficient_credit') return 'insufficient_credit';
  }
  takeHeld(draft, hold, minNano(amount, hold.amount));
  resolve(draft, hold, 'captured', draft.now);
  return 'captured';
}

export function release(draft: WalletDraft, hold: Hold): 'released' | 'already_resolved' | 'hold_expired' {
  const refused = unresolved(draft, hold);
  if (refused !== null) return refused;
  resolve(draft, hold, 'released', draft.now);
  return 'released';
}

/** The end of a hold nobody resolved. */
export function expireHold(draft: WalletDraft, hold: Hold, at: Instant): void {
  resolve(draft, hold, 'expired', at);
}

function unresolved({ now }: WalletDraft, hold: Hold): 'already_resolved' | 'hold_expired' | null {
  if (hold.state === 'expired') return 'hold_expired';
  if (hold.state !== 'open') return 'already_resolved';
  return hold.expiresAt <= now ? 'hold_expired' : null;
}

function takeHeld(draft: WalletDraft, hold: Hold, amount: Nano): void {
  let left = amount;
  for (const part of hold.parts) {
    const taken = minNano(part.amount, left);
    if (taken === 0n) continue;
    const lot = lotOf(draft, part.lotId);
    part.amount -= taken;
    lot.held -= taken;
    left -= taken;
    post(draft, 'capture', lot, { held: -taken, feature: hold.feature, reference: hold.key });
  }
}

/** Gives what is still pinned back to its lots; a lot closed meanwhile loses it again at once. */
function resolve(draft: WalletDraft, hold: Hold, how: Exclude<HoldState, 'open'>, at: Instant): void {
  hold.state = how;
  hold.resolvedAt = at;
  draft.touchedHolds.add(hold);
  for (const part of hold.parts) giveBack(draft, hold, part, at);
  repayAll(draft, at);
}

function giveBack(
  draft: WalletDraft,
  hold: Hold,
  part: { readonly lotId: string; amount: Nano },
  at: Instant,
): void {
  if (part.amount === 0n) return;
  const lot = lotOf(draft, part.lotId);
  lot.held -= part.amount;
  lot.remaining += part.amount;
  post(draft, 'release', lot, {
    at,
    free: part.amount,
    held: -part.amount,
    feature: hold.feature,
    reference: hold.key,
  });
  part.amount = 0n;
  if (isClosed(lot)) closeLot(draft, lot, lot.state === 'voided' ? 'voided' : 'expired', at);
}

function lotOf(draft: WalletDraft, id: string): Lot {
  const lot = draft.wallet.lots.find((candidate) => candidate.id === id);
  invariant(lot, 'A lot with held credit is read with its wallet');
  return lot;
}
