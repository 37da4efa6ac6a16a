import type { Instant, Nano } from '@tallygate/kernel';
import { invariant, maxNano, minNano } from '@tallygate/kernel';
import type { DebtHole, Draw } from './attribution';
import { chargeUsage, repayAll } from './burn';
import { closeLot } from './grant';
import { expiryPostingOf, isClosed } from './lot';
import type { Lot } from './lot';
import { priceOf, runsOverPeriod } from './price';
import { rate } from './rating';
import type { PeriodCounters, Ratable } from './rating';
import { capsOf } from './spend-cap';
import { creditSeen, insertLot, post } from './wallet';
import type { WalletDraft } from './wallet';

/** What one feature has counted and charged of an event so far, corrections included. */
export interface FeatureUse {
  readonly feature: string;
  readonly quantity: Nano;
  readonly included: Nano;
  /** Charged, by unit. */
  readonly amounts: ReadonlyMap<string, Nano>;
}

/** What a correction changes of it. */
export interface FeatureChange {
  readonly feature: string;
  readonly includedDelta: Nano;
  /** Below 0: credit comes back; above 0: more is charged. */
  readonly moves: readonly { readonly unit: string; readonly delta: Nano }[];
  /** No price row matches what the event says now. */
  readonly parked: boolean;
}

/**
 * semantics §2 "Correction": one feature's part of an event as it was and as it should have been, at the price of the
 * event's own time. Other events keep their price.
 * @param old as rated before; null where it was not
 * @param item as rated now; null where nothing is left for the feature
 * @param before the running total of the price's period before the event
 */
export function changeOf(
  use: FeatureUse,
  old: Ratable | null,
  item: Ratable | null,
  counters: PeriodCounters,
  before: Nano,
): FeatureChange {
  if ((item ?? old)?.gauge != null) return changeOfValue(use, old, item, counters);
  const change = changeOfSum(use, old, item, counters, before);
  moveSpend(item ?? old, counters, change.moves);
  return change;
}

/** Paid units go before included ones; included units that are asked for anew come from what the period has left. */
function changeOfSum(
  use: FeatureUse,
  old: Ratable | null,
  item: Ratable | null,
  counters: PeriodCounters,
  before: Nano,
): FeatureChange {
  const split = splitOf(use, item, counters);
  const parked = item !== null && item.row === null && split.paid !== null;
  const rated = parked ? null : item;
  const included = rated === null ? 0n : split.included;
  const paid = rated === null ? null : split.paid;
  const wasPaid = use.amounts.size === 0 ? 0n : use.quantity - use.included;
  moveQuota(old ?? item, counters, (rated?.quantity ?? 0n) - use.quantity);
  moveTier(old, counters, -wasPaid);
  const unchanged = paid === wasPaid && old !== null && rated !== null && old.row === rated.row;
  const moves = unchanged ? [] : differences(use, priced(rated, paid, before));
  moveTier(rated, counters, paid ?? 0n);
  return { feature: use.feature, includedDelta: included - use.included, moves, parked };
}

/**
 * A meter that does not add up: its counter was counted anew without the event, which is rated as if it came last.
 */
function changeOfValue(
  use: FeatureUse,
  old: Ratable | null,
  item: Ratable | null,
  counters: PeriodCounters,
): FeatureChange {
  const given = [...use.amounts].map(([unit, amount]) => ({ unit, delta: -amount }));
  moveSpend(old ?? item, counters, given);
  const rated = item === null ? null : rate(item, counters);
  const wanted = new Map<string, Nano>();
  if (rated?.kind === 'charged') wanted.set(rated.unit, rated.amount);
  const included = rated === null || rated.kind === 'parked' ? 0n : rated.included;
  const moves = differences(use, wanted);
  return {
    feature: use.feature,
    includedDelta: included - use.included,
    moves,
    parked: rated?.kind === 'parked',
  };
}

/** Included and paid units of the event as it is now; paid null: nothing is charged. */
function splitOf(
  use: FeatureUse,
  item: Ratable | null,
  counters: PeriodCounters,
): { readonly included: Nano; readonly paid: Nano | null } {
  if (item === null) return { included: 0n, paid: null };
  const { feature, plan, terms, at, quantity } = item;
  if (feature.kind === 'prepaid') return { included: 0n, paid: quantity };
  if (feature.kind === 'quota') return { included: quantity, paid: null };
  const counter = counters.quota(feature.key, plan, terms, at);
  const room = maxNano(counter.included - counter.used, 0n);
  const more = maxNano(quantity - use.quantity, 0n);
  const included = minNano(quantity, use.included + minNano(more, room));
  return { included, paid: included === quantity ? null : quantity - included };
}

function moveQuota(item: Ratable | null, counters: PeriodCounters, delta: Nano): void {
  if (item === null || item.feature.kind === 'prepaid' || delta === 0n) return;
  const counter = counters.quota(item.feature.key, item.plan, item.terms, item.at);
  counter.used = maxNano(counter.used + delta, 0n);
}

function moveTier(item: Ratable | null, counters: PeriodCounters, delta: Nano): void {
  if (item === null || item.row === null || !runsOverPeriod(item.row) || delta === 0n) return;
  const counter = counters.tier(item.feature.key, item.plan, item.terms, item.at, item.row);
  counter.used = maxNano(counter.used + delta, 0n);
}

/** Spend caps count what is debited in the end. */
function moveSpend(item: Ratable | null, counters: PeriodCounters, moves: FeatureChange['moves']): void {
  if (item === null) return;
  const { feature, terms, at } = item;
  for (const cap of capsOf(terms, feature.key)) {
    for (const { unit, delta } of moves) {
      const counter = counters.spend(feature.key, cap, terms, at, unit);
      counter.used = maxNano(counter.used + delta, 0n);
    }
  }
}

function priced(item: Ratable | null, paid: Nano | null, before: Nano): ReadonlyMap<string, Nano> {
  if (item === null || item.row === null || paid === null) return new Map();
  const { row } = item;
  return new Map([[row.unit, priceOf(row, paid, runsOverPeriod(row) ? before : 0n)]]);
}

function differences({ amounts }: FeatureUse, wanted: ReadonlyMap<string, Nano>): FeatureChange['moves'] {
  return [...new Set([...amounts.keys(), ...wanted.keys()])]
    .map((unit) => ({ unit, delta: (wanted.get(unit) ?? 0n) - (amounts.get(unit) ?? 0n) }))
    .filter(({ delta }) => delta !== 0n);
}

/** Whose charge is corrected. */
export interface CorrectedCharge {
  readonly feature: string;
  readonly occurredAt: Instant;
  /** The event's id, for whoever reads the statement. */
  readonly reference: string;
}

/** What the event owed and owes no more, to be kept with the debt. */
export interface CutDebt extends DebtHole {
  readonly debtId: string;
}

/**
 * Gives an event's credit back to exactly the lots it came from: what it still owes goes first, then the newest draws,
 * repayments of its debt among them. A lot that has ended keeps nothing. What came back repays other debt at once.
 * @param draws of the event, oldest first, what is owed last
 * @param lots the stored lots among the draws that are not in work
 */
export function giveCreditBack(
  draft: WalletDraft,
  charge: CorrectedCharge,
  amount: Nano,
  draws: readonly Draw[],
  lots: ReadonlyMap<string, Lot>,
): CutDebt[] {
  const cuts: CutDebt[] = [];
  const returns = new Map<string, { draw: Extract<Draw, { kind: 'lot' }>; amount: Nano }>();
  let left = amount;
  for (const draw of [...draws].reverse()) {
    if (left === 0n) break;
    const size = draw.kind === 'owed' ? draw.to - draw.from : draw.amount;
    const taken = minNano(size, left);
    left -= taken;
    if (draw.kind === 'owed') cuts.push(cutDebt(draft, charge, draw, taken));
    else gatherReturn(returns, draw, taken);
  }
  invariant(left === 0n, 'An event gets back no more than it drew');
  for (const { draw, amount: returned } of returns.values()) giveBackTo(draft, charge, draw, returned, lots);
  repayAll(draft, draft.now);
  return cuts;
}

/** One row per lot, and one more where the lot repaid the event's debt. */
function gatherReturn(
  returns: Map<string, { draw: Extract<Draw, { kind: 'lot' }>; amount: Nano }>,
  draw: Extract<Draw, { kind: 'lot' }>,
  amount: Nano,
): void {
  const name = `${draw.lotId}${draw.debtId ?? ''}`;
  const gathered = returns.get(name);
  if (gathered === undefined) returns.set(name, { draw, amount });
  else gathered.amount += amount;
}

/** The newest end of the stretch goes first. */
function cutDebt(
  draft: WalletDraft,
  { feature, occurredAt, reference }: CorrectedCharge,
  draw: Extract<Draw, { kind: 'owed' }>,
  amount: Nano,
): CutDebt {
  const { debtId, to } = draw;
  const debt = draft.wallet.debts.find((one) => one.id === debtId);
  invariant(debt && debt.total - debt.repaid >= amount, 'What an event owes is part of an open debt');
  debt.total -= amount;
  draft.touchedDebts.add(debt);
  post(draft, 'correction', null, { debt: -amount, debtId, feature, effectiveAt: occurredAt, reference });
  return { debtId, from: to - amount, to, version: draft.wallet.version + draft.entries.length };
}

function giveBackTo(
  draft: WalletDraft,
  { feature, reference }: CorrectedCharge,
  { lotId, debtId, effectiveAt }: Extract<Draw, { kind: 'lot' }>,
  amount: Nano,
  stored: ReadonlyMap<string, Lot>,
): void {
  const lot = draft.wallet.lots.find((one) => one.id === lotId) ?? stored.get(lotId);
  invariant(lot, 'The lot of a draw is stored');
  lot.remaining += amount;
  post(draft, 'correction', lot, { free: amount, debtId, feature, effectiveAt, reference });
  const ends = expiryPostingOf(lot, draft.wallet.latenessMicros);
  if (isClosed(lot)) closeLot(draft, lot, lot.state === 'voided' ? 'voided' : 'expired', draft.now);
  else if (ends !== null && ends <= draft.now) closeLot(draft, lot, 'expired', draft.now);
  else {
    if (!draft.wallet.lots.includes(lot)) insertLot(draft.wallet, lot);
    creditSeen(draft.wallet, draft.now);
  }
}

/** An amendment that makes the event dearer: more is drawn, as its usage was, at its own time. */
export function chargeMore(draft: WalletDraft, charge: CorrectedCharge, amount: Nano): void {
  chargeUsage(draft, { ...charge, amount }, 'correction');
}
