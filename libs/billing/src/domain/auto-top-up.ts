import { addMicros, maxNano, MICROS, minNano, startOf } from '@tallygate/kernel';
import type { CalendarUnit, Instant, Nano } from '@tallygate/kernel';

/** Buys credit by itself when a wallet runs low (semantics §3 "Top-up"). One purchase is open at a time. */
export interface AutoTopUp {
  readonly customerId: string;
  readonly unit: string;
  /** Acts below it, not at it. */
  readonly threshold: Nano;
  /** Purchases are multiples of it; null when `target` says how much. */
  readonly increment: Nano | null;
  readonly target: Nano | null;
  /** Most that one calendar period may buy; null for no cap. */
  readonly cap: Nano | null;
  readonly per: Exclude<CalendarUnit, 'minute'> | null;
  /** Last known balance; null before the first was heard. */
  readonly available: Nano | null;
  readonly availableVersion: number;
  /** Bought, or being bought, in the period that began at `periodStart`. */
  readonly bought: Nano;
  readonly periodStart: Instant | null;
  readonly openTopUpId: string | null;
  readonly declines: number;
  readonly stoppedBy: 'hard_decline' | 'circuit' | null;
  /** When it may act again: after a decline, or when the cap renews. */
  readonly retryAt: Instant | null;
}

const DECLINES_TO_OPEN = 3;

/** What to buy now; null for nothing. */
export function purchase(rule: AutoTopUp, now: Instant, zone: string): Nano | null {
  if (rule.stoppedBy !== null || rule.openTopUpId !== null || rule.available === null) return null;
  if (rule.available >= rule.threshold) return null;
  if (rule.retryAt !== null && now < rule.retryAt) return null;
  const wanted = wantedAmount(rule, rule.available);
  const amount = rule.cap === null ? wanted : minNano(wanted, rule.cap - boughtIn(rule, now, zone));
  return amount > 0n ? amount : null;
}

/** The shortfall in one charge: to the target, or to the threshold, in whole increments, at least one. */
function wantedAmount(rule: AutoTopUp, available: Nano): Nano {
  const goal = rule.target ?? rule.threshold;
  const shortfall = goal - available;
  if (rule.increment === null) return shortfall;
  const count = (shortfall + rule.increment - 1n) / rule.increment;
  return maxNano(1n, count) * rule.increment;
}

function boughtIn(rule: AutoTopUp, now: Instant, zone: string): Nano {
  return rule.periodStart === periodStart(rule, now, zone) ? rule.bought : 0n;
}

function periodStart(rule: AutoTopUp, now: Instant, zone: string): Instant | null {
  return rule.per === null ? null : startOf(rule.per, now, zone);
}

export function opened(
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
    periodStart: periodStart(rule, now, zone),
    retryAt: null,
  };
}

/** A settled paid top-up, whoever bought it, closes the circuit. */
export function bought(rule: AutoTopUp, topUpId: string): AutoTopUp {
  const openTopUpId = rule.openTopUpId === topUpId ? null : rule.openTopUpId;
  const stoppedBy = rule.stoppedBy === 'circuit' ? null : rule.stoppedBy;
  return { ...rule, openTopUpId, declines: 0, stoppedBy, retryAt: null };
}

/** Again 1 h later, then 2 h later; the third decline opens the circuit, a hard one stops the method. */
export function declined(
  rule: AutoTopUp,
  topUpId: string,
  amount: Nano,
  hard: boolean,
  now: Instant,
): AutoTopUp {
  if (rule.openTopUpId !== topUpId) return rule;
  const declines = rule.declines + 1;
  const closed = { ...rule, openTopUpId: null, declines, bought: maxNano(0n, rule.bought - amount) };
  if (hard) return { ...closed, stoppedBy: 'hard_decline', retryAt: null };
  if (declines >= DECLINES_TO_OPEN) return { ...closed, stoppedBy: 'circuit', retryAt: null };
  return { ...closed, retryAt: addMicros(now, declines * MICROS.hour) };
}

/** A new method may be charged again, whatever the old one did. */
export function methodReplaced(rule: AutoTopUp): AutoTopUp {
  return { ...rule, stoppedBy: null, declines: 0, retryAt: null };
}

/** When the cap renews, it charges by itself; null when nothing waits for that. */
export function capRenewal(
  rule: AutoTopUp,
  now: Instant,
  zone: string,
  nextStart: (from: Instant) => Instant,
): Instant | null {
  const waits =
    rule.per !== null &&
    rule.cap !== null &&
    rule.stoppedBy === null &&
    rule.openTopUpId === null &&
    rule.available !== null &&
    rule.available < rule.threshold &&
    boughtIn(rule, now, zone) >= rule.cap;
  return waits ? nextStart(now) : null;
}
