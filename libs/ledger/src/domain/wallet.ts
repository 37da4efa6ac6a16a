import type { Duration, Instant, Nano } from '@tallygate/kernel';
import { burnOrder, isValidAt, mayPayFor } from './lot';
import type { Debt, GrantKind, Lot } from './lot';
import type { Entry, EntryKind, OpenEntry } from './entry';

/** Which wallet: a customer's credit in one currency or credit unit. */
export interface WalletKey {
  readonly tenantId: string;
  readonly customerId: string;
  readonly unit: string;
}

/** What an open hold pins, lot by lot, in the order it was taken. */
export interface HeldPart {
  readonly lotId: string;
  amount: Nano;
}

export type HoldState = 'open' | 'captured' | 'released' | 'expired';

export interface Hold {
  readonly id: string;
  readonly key: string;
  readonly feature: string | null;
  readonly amount: Nano;
  readonly expiresAt: Instant;
  readonly parts: HeldPart[];
  state: HoldState;
  resolvedAt: Instant | null;
}

export interface Rollover {
  readonly min: Nano;
  /** Null: all that is left. */
  readonly max: Nano | null;
}

/** A grant that issues lots again and again: at its start, then at every anchor + k × every after it. */
export interface Recurrence {
  readonly grantId: string;
  readonly grantKey: string;
  readonly kind: GrantKind;
  readonly priority: number;
  readonly features: readonly string[] | null;
  readonly amount: Nano;
  readonly every: Duration;
  readonly anchor: Instant;
  /** Its first lot. */
  readonly startsAt: Instant;
  readonly zone: string;
  /** Ends the series; no lot at or after it. */
  readonly endsAt: Instant | null;
  readonly rollover: Rollover | null;
  /** When the next lot is issued; null when the series has ended. */
  nextAt: Instant | null;
}

/**
 * A wallet as read under its row lock. `lots` are those not yet done with (something left, held, or due), in burn
 * order; `debts` the open ones, oldest first; `holds` the open ones.
 */
export interface Wallet extends WalletKey {
  readonly id: bigint;
  /** Position of the last journal row: gapless. */
  readonly version: number;
  readonly lots: Lot[];
  readonly debts: Debt[];
  readonly holds: Hold[];
  readonly recurrences: Recurrence[];
  /** How far below zero a requested debit may go. */
  readonly overdraft: Nano;
  /** How long after its end a lot still pays for usage from before it, in microseconds. */
  readonly latenessMicros: number;
  /** Latest end of a lot that had something left. */
  lastExpiryAt: Instant | null;
  /** Latest start of a lot, or draw that left nothing of one: after it, an expiry is what ended the credit. */
  lastCreditAt: Instant | null;
}

/**
 * A wallet in work inside one transaction: functions of the domain change it and record what they did, a store writes
 * `entries` and whatever was touched. It never outlives the transaction.
 */
export interface WalletDraft {
  readonly wallet: Wallet;
  /** The tenant's now. */
  readonly now: Instant;
  /** Names for new lots and debts, in order of creation. */
  readonly newId: () => string;
  readonly entries: Entry[];
  /** Each feature's latest usage or debt row, which the feature's next charge may go on with. */
  readonly runs: Map<string | null, OpenEntry>;
  readonly issued: Set<Lot>;
  readonly touchedLots: Set<Lot>;
  readonly touchedDebts: Set<Debt>;
  readonly touchedHolds: Set<Hold>;
  readonly touchedRecurrences: Set<Recurrence>;
}

export function draftOf(wallet: Wallet, now: Instant, newId: () => string): WalletDraft {
  return {
    wallet,
    now,
    newId,
    entries: [],
    runs: new Map(),
    issued: new Set(),
    touchedLots: new Set(),
    touchedDebts: new Set(),
    touchedHolds: new Set(),
    touchedRecurrences: new Set(),
  };
}

/** Free credit at an instant, of the lots that may pay for the feature (null: unrestricted lots), debt not deducted. */
export function freeCredit(wallet: Wallet, at: Instant, feature: string | null): Nano {
  let sum = 0n;
  for (const lot of wallet.lots) if (isValidAt(lot, at) && mayPayFor(lot, feature)) sum += lot.remaining;
  return sum;
}

/** Free credit of every valid lot, restricted or not. */
export function allFreeCredit(wallet: Wallet, at: Instant): Nano {
  let sum = 0n;
  for (const lot of wallet.lots) if (isValidAt(lot, at)) sum += lot.remaining;
  return sum;
}

export function outstanding(debt: Debt): Nano {
  return debt.total - debt.repaid;
}

/** What is owed: of one feature, or of all. */
export function debtOf(wallet: Wallet, feature?: string | null): Nano {
  let sum = 0n;
  for (const debt of wallet.debts)
    if (feature === undefined || debt.feature === feature) sum += outstanding(debt);
  return sum;
}

export function heldOf(wallet: Wallet): Nano {
  let sum = 0n;
  for (const hold of wallet.holds) {
    if (hold.state === 'open') for (const part of hold.parts) sum += part.amount;
  }
  return sum;
}

/** Puts a new lot at its place in the burn order. */
export function insertLot(wallet: Wallet, lot: Lot): void {
  const at = wallet.lots.findIndex((other) => burnOrder(lot, other) < 0);
  wallet.lots.splice(at < 0 ? wallet.lots.length : at, 0, lot);
}

/** Records a movement of one lot, by default effective when posted. */
export function post(
  draft: WalletDraft,
  kind: EntryKind,
  lot: Lot | null,
  legs: Partial<Omit<Entry, 'kind' | 'lotId' | 'grantKey'>>,
): OpenEntry {
  if (lot !== null) draft.touchedLots.add(lot);
  const at = legs.at ?? draft.now;
  const entry: OpenEntry = {
    kind,
    at,
    effectiveAt: legs.effectiveAt ?? at,
    lotId: lot?.id ?? null,
    grantKey: lot?.grantKey ?? null,
    debtId: legs.debtId ?? null,
    feature: legs.feature ?? null,
    reference: legs.reference ?? null,
    free: legs.free ?? 0n,
    held: legs.held ?? 0n,
    debt: legs.debt ?? 0n,
  };
  draft.entries.push(entry);
  return entry;
}

/** Says that credit was there at an instant: what later runs out did not end by an expiry before it. */
export function creditSeen(wallet: Wallet, at: Instant): void {
  if (wallet.lastCreditAt === null || wallet.lastCreditAt < at) wallet.lastCreditAt = at;
}
