import type { Instant, Nano } from '@tallygate/kernel';
import { invariant, minNano } from '@tallygate/kernel';
import { endOf, isClosed, isValidAt, mayPayFor } from './lot';
import type { Debt, Lot } from './lot';
import { creditSeen, outstanding, post } from './wallet';
import type { WalletDraft } from './wallet';

/** Usage already served, priced: it is recorded whatever the wallet holds. */
export interface Charge {
  /** Null: a requested debit that named none. */
  readonly feature: string | null;
  readonly amount: Nano;
  /** The event's own time. */
  readonly occurredAt: Instant;
  /** What the rows name as their cause; usage of a slice shares rows and names none. */
  readonly reference?: string;
}

/**
 * semantics §3: usage draws, in burn order, on the lots that were valid at its own time; what they do not cover is debt
 * of its feature, repaid at once by credit that started since. Successive draws of a feature on one lot become one
 * journal row, so that a slice of events costs a row per lot while each event's share stays an interval of that row.
 */
export function chargeUsage(draft: WalletDraft, charge: Charge, kind: DrawKind = 'usage'): void {
  if (charge.amount === 0n) return;
  const short = drawForUsage(draft, charge, kind);
  if (short > 0n) owe(draft, charge, short);
}

/** Usage as it was first charged, or what a correction made dearer. */
type DrawKind = 'usage' | 'correction';

function drawForUsage(draft: WalletDraft, charge: Charge, kind: DrawKind): Nano {
  let left = charge.amount;
  for (const lot of draft.wallet.lots) {
    if (lot.remaining === 0n || !isValidAt(lot, charge.occurredAt) || !mayPayFor(lot, charge.feature))
      continue;
    const taken = minNano(lot.remaining, left);
    lot.remaining -= taken;
    left -= taken;
    addToRun(draft, charge, lot, taken, kind);
    if (lot.remaining === 0n) creditSeen(draft.wallet, charge.occurredAt);
    if (left === 0n) break;
  }
  return left;
}

/**
 * Goes on with the feature's last row when that drew on the same lot too, else starts one. Other features' rows may
 * stand between: an event's share is an interval of its feature's rows in their order.
 */
function addToRun(
  draft: WalletDraft,
  { feature, occurredAt, reference }: Charge,
  lot: Lot,
  taken: Nano,
  kind: DrawKind,
): void {
  const last = draft.runs.get(feature);
  if (last?.lotId === lot.id) {
    last.free -= taken;
    if (occurredAt > last.effectiveAt) last.effectiveAt = occurredAt;
    return;
  }
  const legs = { free: -taken, feature, effectiveAt: occurredAt, reference };
  draft.runs.set(feature, post(draft, kind, lot, legs));
}

/** Records a shortfall as debt and lets credit that is free by now repay it. */
export function owe(draft: WalletDraft, { feature, occurredAt, reference }: Charge, amount: Nano): void {
  const debt = debtFor(draft, feature, occurredAt);
  debt.total += amount;
  draft.touchedDebts.add(debt);
  const last = draft.runs.get(feature);
  if (last?.debtId === debt.id) {
    last.debt += amount;
    if (occurredAt > last.effectiveAt) last.effectiveAt = occurredAt;
  } else {
    const entry = { debt: amount, debtId: debt.id, feature, effectiveAt: occurredAt, reference };
    draft.runs.set(feature, post(draft, 'debt', null, entry));
  }
  repay(draft, debt, draft.now);
}

/**
 * The youngest open debt grows when that changes neither whose turn it is nor which lots may repay it; else a new one. It
 * stays as old as its first part: an older debt of another feature that is booked later does not part it again.
 */
function debtFor(draft: WalletDraft, feature: string | null, occurredAt: Instant): Debt {
  const { debts, lots } = draft.wallet;
  const youngest = debts.findLast((debt) => outstanding(debt) > 0n);
  if (
    youngest !== undefined &&
    youngest.feature === feature &&
    youngest.occurredAt <= occurredAt &&
    occurredAt <= draft.now &&
    !lots.some((lot) => endOf(lot) > youngest.occurredAt && endOf(lot) <= occurredAt)
  ) {
    return youngest;
  }
  const debt: Debt = { id: draft.newId(), feature, occurredAt, total: 0n, repaid: 0n };
  const at = debts.findIndex((other) => other.occurredAt > occurredAt);
  debts.splice(at < 0 ? debts.length : at, 0, debt);
  return debt;
}

/** Repays every debt, oldest first, from whatever credit is free at the instant. */
export function repayAll(draft: WalletDraft, at: Instant): void {
  for (const debt of draft.wallet.debts) if (outstanding(debt) > 0n) repay(draft, debt, at);
}

/** In burn order, from started lots that may pay for the debt's feature and end after the event's own time. */
function repay(draft: WalletDraft, debt: Debt, at: Instant): void {
  for (const lot of draft.wallet.lots) {
    const owed = outstanding(debt);
    if (owed === 0n) break;
    if (!mayRepay(lot, debt, at)) continue;
    const paid = minNano(lot.remaining, owed);
    lot.remaining -= paid;
    debt.repaid += paid;
    draft.touchedDebts.add(debt);
    if (lot.remaining === 0n) creditSeen(draft.wallet, at);
    post(draft, 'repayment', lot, { at, free: -paid, debt: -paid, debtId: debt.id, feature: debt.feature });
  }
  invariant(debt.repaid <= debt.total, 'A debt is not repaid twice');
}

function mayRepay(lot: Lot, debt: Debt, at: Instant): boolean {
  return (
    lot.remaining > 0n &&
    !isClosed(lot) &&
    lot.effectiveAt <= at &&
    endOf(lot) > debt.occurredAt &&
    mayPayFor(lot, debt.feature)
  );
}

/** Takes requested (not yet served) credit: valid lots in burn order, as far as they go. */
export function drawValid(
  draft: WalletDraft,
  feature: string | null,
  amount: Nano,
  take: (lot: Lot, taken: Nano) => void,
): Nano {
  let left = amount;
  for (const lot of draft.wallet.lots) {
    if (left === 0n) break;
    if (lot.remaining === 0n || !isValidAt(lot, draft.now) || !mayPayFor(lot, feature)) continue;
    const taken = minNano(lot.remaining, left);
    lot.remaining -= taken;
    left -= taken;
    if (lot.remaining === 0n) creditSeen(draft.wallet, draft.now);
    take(lot, taken);
  }
  return left;
}
