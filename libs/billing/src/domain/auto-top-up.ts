import {
  addCalendar,
  addMicros,
  earliest,
  maxNano,
  MICROS,
  minNano,
  minorDigits,
  roundToMinor,
  startOf,
} from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';

export type CapPeriod = 'hour' | 'day' | 'week' | 'month' | 'year';

/** Buys credit by itself when a wallet runs low (semantics §3 "Top-up"). One purchase is open at a time. */
export interface AutoTopUp {
  readonly customerId: string;
  readonly unit: string;
  /** Acts below it, not at it. */
  readonly threshold: Nano;
  /** Purchases are multiples of it; null when `target` alone says how much. */
  readonly increment: Nano | null;
  readonly target: Nano | null;
  /** Most that one calendar period may buy; null for no cap. */
  readonly cap: Nano | null;
  readonly per: CapPeriod | null;
  /** Bought, or being bought, in the period that began at `boughtSince`. */
  readonly bought: Nano;
  readonly boughtSince: Instant | null;
  readonly openTopUpId: string | null;
  /** What was available when the last purchase was paid: until it shows in the balance, nothing more is bought. */
  readonly creditAwaited: Nano | null;
  readonly declines: number;
  readonly stoppedBy: 'hard_decline' | 'circuit' | null;
  /** Not before: a decline's back-off, or the end of waiting for a credit. */
  readonly retryAt: Instant | null;
}

/** A wallet as the ledger last stated it: what is available from each instant on. */
export interface KnownBalance {
  readonly version: number;
  readonly segments: readonly { readonly from: Instant; readonly available: Nano }[];
}

const DECLINES_TO_OPEN = 3;
/** A credit that was paid shows within moments; after this long the balance is believed as it is. */
const CREDIT_PATIENCE_MICROS = MICROS.hour;
const STEPS: Readonly<Record<CapPeriod, { months: number; days: number; micros: number }>> = {
  hour: { months: 0, days: 0, micros: MICROS.hour },
  day: { months: 0, days: 1, micros: 0 },
  week: { months: 0, days: 7, micros: 0 },
  month: { months: 1, days: 0, micros: 0 },
  year: { months: 12, days: 0, micros: 0 },
};

/** A wallet that nobody stated has never held anything. */
export function availableAt(balance: KnownBalance | null, now: Instant): Nano {
  const past = balance?.segments.filter(({ from }) => from <= now) ?? [];
  return (past.at(-1) ?? balance?.segments[0])?.available ?? 0n;
}

/** What to buy now; null for nothing. */
export function purchase(
  rule: AutoTopUp,
  balance: KnownBalance | null,
  now: Instant,
  zone: string,
): Nano | null {
  const available = availableAt(balance, now);
  if (rule.stoppedBy !== null || rule.openTopUpId !== null) return null;
  if (available >= rule.threshold) return null;
  if (awaitsCredit(rule, available) && (rule.retryAt === null || now < rule.retryAt)) return null;
  if (rule.creditAwaited === null && rule.retryAt !== null && now < rule.retryAt) return null;
  const wanted = wantedAmount(rule, available);
  const amount = rule.cap === null ? wanted : minNano(wanted, rule.cap - boughtIn(rule, now, zone));
  return amount > 0n ? amount : null;
}

/** When to look again with no news from the ledger: a back-off's end, a change of balance foretold, the cap's renewal. */
export function nextLook(
  rule: AutoTopUp,
  balance: KnownBalance | null,
  now: Instant,
  zone: string,
): Instant | null {
  if (rule.stoppedBy !== null || rule.openTopUpId !== null) return null;
  const retry = rule.retryAt !== null && rule.retryAt > now ? rule.retryAt : null;
  const change = balance?.segments.find(({ from }) => from > now)?.from ?? null;
  const below = availableAt(balance, now) < rule.threshold;
  const capped = rule.cap !== null && boughtIn(rule, now, zone) >= rule.cap;
  return earliest(retry, change, below && capped ? renewal(rule, now, zone) : null);
}

export function purchaseOpened(
  rule: AutoTopUp,
  topUpId: string,
  amount: Nano,
  now: Instant,
  zone: string,
): AutoTopUp {
  return {
    ...rule,
    openTopUpId: topUpId,
    bought: boughtIn(rule, now, zone) + amount,
    boughtSince: capStart(rule, now, zone),
    creditAwaited: null,
    retryAt: null,
  };
}

/** A settled paid top-up, whoever bought it, closes the circuit; its credit is on its way. */
export function purchasePaid(rule: AutoTopUp, topUpId: string, available: Nano, now: Instant): AutoTopUp {
  return {
    ...rule,
    openTopUpId: rule.openTopUpId === topUpId ? null : rule.openTopUpId,
    declines: 0,
    stoppedBy: rule.stoppedBy === 'circuit' ? null : rule.stoppedBy,
    creditAwaited: available,
    retryAt: addMicros(now, CREDIT_PATIENCE_MICROS),
  };
}

/** A balance above the one that was paid at holds the credit: from then on a lower one is a new shortfall. */
export function balanceHeard(rule: AutoTopUp, balance: KnownBalance | null, now: Instant): AutoTopUp {
  if (rule.creditAwaited === null || awaitsCredit(rule, availableAt(balance, now))) return rule;
  return { ...rule, creditAwaited: null, retryAt: null };
}

/** Again 1 h later, then 2 h later; the third decline opens the circuit, a hard one stops the method. */
export function purchaseDeclined(
  rule: AutoTopUp,
  topUp: { readonly id: string; readonly amount: Nano },
  hard: boolean,
  now: Instant,
): AutoTopUp {
  if (rule.openTopUpId !== topUp.id) return rule;
  const declines = rule.declines + 1;
  const bought = maxNano(0n, rule.bought - topUp.amount);
  const closed = { ...rule, openTopUpId: null, declines, bought, retryAt: null };
  if (hard) return { ...closed, stoppedBy: 'hard_decline' };
  if (declines >= DECLINES_TO_OPEN) return { ...closed, stoppedBy: 'circuit' };
  return { ...closed, retryAt: addMicros(now, declines * MICROS.hour) };
}

/** A new method may be charged again, whatever the old one did. */
export function methodReplaced(rule: AutoTopUp): AutoTopUp {
  return { ...rule, stoppedBy: rule.stoppedBy === 'hard_decline' ? null : rule.stoppedBy };
}

function awaitsCredit(rule: AutoTopUp, available: Nano): boolean {
  return rule.creditAwaited !== null && available <= rule.creditAwaited;
}

/** The shortfall in one charge: to the target, or to the threshold, in whole increments, at least one. */
function wantedAmount(rule: AutoTopUp, available: Nano): Nano {
  const shortfall = (rule.target ?? rule.threshold) - available;
  if (rule.increment === null) return payable(shortfall, rule.unit);
  const count = (shortfall + rule.increment - 1n) / rule.increment;
  return maxNano(1n, count) * rule.increment;
}

/** Rounded up to what can be paid in the unit. */
function payable(amount: Nano, unit: string): Nano {
  const { rounded } = roundToMinor(amount, unit);
  return rounded < amount ? rounded + 10n ** BigInt(9 - minorDigits(unit)) : rounded;
}

function boughtIn(rule: AutoTopUp, now: Instant, zone: string): Nano {
  return rule.boughtSince === capStart(rule, now, zone) ? rule.bought : 0n;
}

function capStart(rule: AutoTopUp, now: Instant, zone: string): Instant | null {
  return rule.per === null ? null : startOf(rule.per, now, zone);
}

function renewal(rule: AutoTopUp, now: Instant, zone: string): Instant | null {
  const start = capStart(rule, now, zone);
  return rule.per === null || start === null ? null : addCalendar(start, STEPS[rule.per], zone);
}
