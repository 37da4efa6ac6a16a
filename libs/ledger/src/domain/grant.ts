import type { Duration, Instant, Nano } from '@tallygate/kernel';
import { addMicros, maxNano, MICROS, minNano, recurrenceAt } from '@tallygate/kernel';
import { repayAll } from './burn';
import { burnOrder, endOf, isClosed } from './lot';
import type { GrantKind, Lot } from './lot';
import { creditSeen, insertLot, post } from './wallet';
import type { Recurrence, Rollover, WalletDraft } from './wallet';

/** What a lot is issued with. */
export interface Issue {
  readonly grantId: string;
  readonly grantKey: string;
  readonly kind: GrantKind;
  readonly priority: number;
  readonly effectiveAt: Instant;
  readonly expiresAt: Instant | null;
  readonly features: readonly string[] | null;
  readonly amount: Nano;
}

/** Issues a lot; one that has started repays debt at once. */
export function issueLot(draft: WalletDraft, issue: Issue, at: Instant = draft.now): Lot {
  const lot = addLot(draft, issue);
  post(draft, 'grant', lot, {
    at,
    effectiveAt: issue.effectiveAt,
    free: issue.amount,
    reference: issue.grantKey,
  });
  if (issue.effectiveAt <= at) startLot(draft, lot, at);
  return lot;
}

/** A lot without credit yet, at its place in the burn order. */
function addLot(draft: WalletDraft, issue: Issue): Lot {
  const lot: Lot = {
    ...issue,
    id: draft.newId(),
    remaining: issue.amount,
    held: 0n,
    state: 'pending',
  };
  insertLot(draft.wallet, lot);
  draft.issued.add(lot);
  draft.touchedLots.add(lot);
  return lot;
}

/** The start of a lot: debt that it may pay for is repaid from it at that instant. */
export function startLot(draft: WalletDraft, lot: Lot, at: Instant): void {
  lot.state = 'live';
  draft.touchedLots.add(lot);
  creditSeen(draft.wallet, lot.effectiveAt);
  repayAll(draft, at);
}

/** Takes what is left of a lot at its end or void; held parts stay until their holds resolve. */
export function closeLot(draft: WalletDraft, lot: Lot, how: 'expired' | 'voided', at: Instant): void {
  const left = lot.remaining;
  lot.state = how;
  lot.remaining = 0n;
  draft.touchedLots.add(lot);
  if (left === 0n) return;
  const effectiveAt = how === 'expired' ? (lot.expiresAt ?? at) : at;
  post(draft, how === 'expired' ? 'expiry' : 'void', lot, { at, effectiveAt, free: -left });
  if (how === 'expired') expirySeen(draft, effectiveAt);
}

function expirySeen({ wallet }: WalletDraft, at: Instant): void {
  if (wallet.lastExpiryAt === null || wallet.lastExpiryAt < at) wallet.lastExpiryAt = at;
}

export type VoidOutcome = 'voided' | 'already_voided' | 'used_up' | 'expired';

/** semantics §3 "Void": what is left, once; the fully used or expired is refused. `lots` are all the grant's own. */
export function voidGrant(
  draft: WalletDraft,
  grantId: string,
  lots: readonly Lot[],
  before: boolean,
): VoidOutcome {
  if (before) return 'already_voided';
  const recurs = draft.wallet.recurrences.some((one) => one.grantId === grantId && one.nextAt !== null);
  const open = lots.filter((lot) => !isClosed(lot) && endOf(lot) > draft.now);
  if (!recurs && open.every((lot) => lot.remaining === 0n && lot.held === 0n)) {
    return lots.some((lot) => lot.state === 'expired') ? 'expired' : endedOf(lots, draft.now);
  }
  for (const lot of open) closeLot(draft, lot, 'voided', draft.now);
  return 'voided';
}

function endedOf(lots: readonly Lot[], now: Instant): VoidOutcome {
  return lots.some((lot) => lot.remaining > 0n && endOf(lot) <= now) ? 'expired' : 'used_up';
}

/**
 * The next lot of a recurring grant, with what is left of its lots that end now: min(max, max(min, left)) rolls over
 * into a lot of its own beside the fresh one; the rest stays where it is and expires.
 */
export function issueRecurring(draft: WalletDraft, recurrence: Recurrence, at: Instant): void {
  const ends = nextRecurrence(recurrence, at);
  const expiresAt = earlier(ends, recurrence.endsAt);
  // Nothing rolls over into the first lot, so there is no minimum of it either.
  const rollover = at > recurrence.startsAt ? recurrence.rollover : null;
  issuePeriodLot(draft, { ...recurrence, rollover, effectiveAt: at, expiresAt }, at);
  recurrence.nextAt = recurrence.endsAt !== null && ends >= recurrence.endsAt ? null : ends;
  draft.touchedRecurrences.add(recurrence);
}

/** One period's lot of a grant that is issued again and again. */
export interface PeriodGrant extends Issue {
  readonly rollover: Rollover | null;
}

export function issuePeriodLot(draft: WalletDraft, grant: PeriodGrant, at: Instant = draft.now): void {
  if (grant.rollover !== null) rollOver(draft, grant, grant.rollover, at);
  issueLot(draft, pick(grant), at);
}

/** The first anchor + k × every after the instant. */
export function nextRecurrence({ anchor, every, zone }: Recurrence, after: Instant): Instant {
  const step = roughMicros(every);
  let k = Math.floor((after - anchor) / step);
  while (recurrenceAt(anchor, every, k, zone) > after) k -= 1;
  while (recurrenceAt(anchor, every, k, zone) <= after) k += 1;
  return recurrenceAt(anchor, every, k, zone);
}

function rollOver(draft: WalletDraft, grant: Issue, terms: Rollover, at: Instant): void {
  const ending = draft.wallet.lots.filter(
    (lot) => lot.grantId === grant.grantId && !isClosed(lot) && lot.expiresAt === grant.effectiveAt,
  );
  const left = ending.reduce((sum, lot) => sum + lot.remaining, 0n);
  const atLeast = maxNano(terms.min, left);
  const rolled = terms.max === null ? atLeast : minNano(terms.max, atLeast);
  if (rolled === 0n) return;
  takeOut(draft, ending, minNano(left, rolled), at);
  const lot = addLot(draft, { ...pick(grant), amount: rolled });
  post(draft, 'rollover', lot, {
    at,
    effectiveAt: grant.effectiveAt,
    free: rolled,
    reference: grant.grantKey,
  });
  startLot(draft, lot, at);
}

/** Last in burn order first: what late usage may still draw on stays as long as it can. */
function takeOut(draft: WalletDraft, lots: readonly Lot[], amount: Nano, at: Instant): void {
  let left = amount;
  for (const lot of [...lots].sort(burnOrder).reverse()) {
    const taken = minNano(lot.remaining, left);
    if (taken === 0n) continue;
    lot.remaining -= taken;
    left -= taken;
    post(draft, 'rollover', lot, { at, free: -taken });
  }
}

function pick(issue: Issue): Issue {
  const { grantId, grantKey, kind, priority, effectiveAt, expiresAt, features, amount } = issue;
  return { grantId, grantKey, kind, priority, effectiveAt, expiresAt, features, amount };
}

function earlier(a: Instant, b: Instant | null): Instant {
  return b !== null && b < a ? b : a;
}

export type GrantTermsFault =
  | 'ends_before_start'
  | 'already_over'
  | 'rollover_min_above_max'
  | 'rollover_without_recurrence'
  | 'too_many_periods';

/** A series that began long ago is issued at once, lot by lot. */
const MOST_PAST_PERIODS = 5_000;

/** Months count 30 days: good enough to bound a number. */
const roughMicros = ({ months, days, micros }: Duration) => (months * 30 + days) * MICROS.day + micros;

/** What is wrong with a grant's terms, everything at once. */
export function grantFaults(
  terms: {
    readonly effectiveAt: Instant;
    readonly expiresAt: Instant | null;
    readonly recurrence: { readonly every: Duration } | null;
    readonly rollover: { readonly min: Nano; readonly max: Nano | null } | null;
  },
  now: Instant,
): GrantTermsFault[] {
  const { effectiveAt, expiresAt, recurrence, rollover } = terms;
  const faults: GrantTermsFault[] = [];
  if (expiresAt !== null && expiresAt <= effectiveAt) faults.push('ends_before_start');
  if (expiresAt !== null && expiresAt <= now) faults.push('already_over');
  if (rollover !== null && rollover.max !== null && rollover.min > rollover.max)
    faults.push('rollover_min_above_max');
  if (rollover !== null && recurrence === null) faults.push('rollover_without_recurrence');
  if (recurrence !== null && (now - effectiveAt) / roughMicros(recurrence.every) > MOST_PAST_PERIODS)
    faults.push('too_many_periods');
  return faults;
}

/** When a lot asks for attention next: its start, then the posting of its expiry. Null: never by itself. */
export function lotDueAt(lot: Lot, latenessMicros: number): Instant | null {
  if (isClosed(lot) || (lot.remaining === 0n && lot.held === 0n)) return null;
  if (lot.state === 'pending') return lot.effectiveAt;
  return lot.expiresAt === null ? null : addMicros(lot.expiresAt, latenessMicros);
}
