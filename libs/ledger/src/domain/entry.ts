import type { Instant, Nano } from '@tallygate/kernel';
import { invariant } from '@tallygate/kernel';

export const ENTRY_KINDS = [
  'usage',
  'correction',
  'grant',
  'expiry',
  'void',
  'rollover',
  'hold',
  'capture',
  'release',
  'debt',
  'repayment',
  'debit',
  'reversal',
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/**
 * One row of the journal: four legs that sum to zero, `free + held − debt + contra = 0`. Three belong to the wallet
 * (free credit of the lot, held credit of the lot, what the customer owes), the fourth to the account named by the
 * kind: usage revenue, the source of grants, expired credit. Contra accounts keep no balance, so that no row is hot.
 */
export interface Entry {
  readonly kind: EntryKind;
  /** Posting time, on the tenant's clock. */
  readonly at: Instant;
  /** When it takes effect: the event's own time for usage, the end for an expiry, else the posting time. */
  readonly effectiveAt: Instant;
  readonly lotId: string | null;
  readonly grantKey: string | null;
  readonly debtId: string | null;
  readonly feature: string | null;
  /** What caused it: a hold's, debit's or grant's key. */
  readonly reference: string | null;
  readonly free: Nano;
  readonly held: Nano;
  readonly debt: Nano;
}

/** A mutable twin while usage of one slice is added up. */
export type OpenEntry = { -readonly [K in keyof Entry]: Entry[K] };

/** What the kind's contra account receives, so that the row sums to zero. */
export function contraOf(entry: Pick<Entry, 'free' | 'held' | 'debt'>): Nano {
  return entry.debt - entry.free - entry.held;
}

/** The amount of a statement's row: as added to the lot; for debt, which has no lot, as added to the balance. */
export function statementAmount(entry: Pick<Entry, 'lotId' | 'free' | 'debt'>): Nano {
  return entry.lotId === null ? -entry.debt : entry.free;
}

/** A balance is nothing but the sum of the journal. */
export interface Balance {
  readonly free: Nano;
  readonly held: Nano;
  readonly debt: Nano;
}

/** What entries change: legs may be of either sign. */
export function sumOf(entries: Iterable<Pick<Entry, 'free' | 'held' | 'debt'>>): Balance {
  let free = 0n;
  let held = 0n;
  let debt = 0n;
  for (const entry of entries) {
    free += entry.free;
    held += entry.held;
    debt += entry.debt;
  }
  return { free, held, debt };
}

/** The whole journal of a wallet. */
export function fold(entries: Iterable<Pick<Entry, 'free' | 'held' | 'debt'>>): Balance {
  const balance = sumOf(entries);
  invariant(balance.debt >= 0n && balance.held >= 0n, 'Neither debt nor held credit folds below zero');
  return balance;
}
