import type { Instant, Nano } from '@tallygate/kernel';

export type GrantKind = 'promotional' | 'paid';

/**
 * `pending` until its start was handled (debt repaid from it), `live` until its end was posted. A closed lot
 * (`expired`, `voided`) pays for nothing more, but what holds pin in it stays capturable.
 */
export type LotState = 'pending' | 'live' | 'expired' | 'voided';

/** One issue of a grant: credit that is spent, held and ended as a whole. Valid in [effectiveAt, expiresAt). */
export interface Lot {
  /** UUID version 7: text order is the order of creation. */
  readonly id: string;
  readonly grantId: string;
  readonly grantKey: string;
  readonly kind: GrantKind;
  /** 0–255, lower burns first. */
  readonly priority: number;
  readonly effectiveAt: Instant;
  /** Null: never ends. */
  readonly expiresAt: Instant | null;
  /** Features it may pay for; null: any. */
  readonly features: readonly string[] | null;
  readonly amount: Nano;
  /** Free credit, not held. */
  remaining: Nano;
  held: Nano;
  state: LotState;
}

/**
 * Credit that usage outran: of one feature, to be repaid by lots that end after `occurredAt`. Feature null: from a
 * requested debit that named none, within the overdraft.
 */
export interface Debt {
  readonly id: string;
  readonly feature: string | null;
  readonly occurredAt: Instant;
  /** Everything ever added; the part before `repaid` is settled, first in, first out. */
  total: Nano;
  repaid: Nano;
}

/** semantics §3 "Burn order": priority, earliest end, promotional before paid, earliest start, creation. */
export function burnOrder(a: Lot, b: Lot): number {
  return (
    a.priority - b.priority ||
    endOf(a) - endOf(b) ||
    rank(a.kind) - rank(b.kind) ||
    a.effectiveAt - b.effectiveAt ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

export function isClosed(lot: Lot): boolean {
  return lot.state === 'expired' || lot.state === 'voided';
}

export function isValidAt(lot: Lot, at: Instant): boolean {
  return !isClosed(lot) && lot.effectiveAt <= at && endOf(lot) > at;
}

/** Restriction only filters. Without a feature (a plain debit or hold) only unrestricted lots pay. */
export function mayPayFor(lot: Lot, feature: string | null): boolean {
  if (lot.features === null) return true;
  return feature !== null && lot.features.includes(feature);
}

/** When the lot ends; later than every instant for one that does not. */
export function endOf(lot: Lot): number {
  return lot.expiresAt ?? Number.MAX_SAFE_INTEGER;
}

/** When its expiry is posted: usage from before its end may arrive until then. Null: never. */
export function expiryPostingOf(lot: Lot, latenessMicros: number): Instant | null {
  return lot.expiresAt === null ? null : ((lot.expiresAt + latenessMicros) as Instant);
}

function rank(kind: GrantKind): number {
  return kind === 'promotional' ? 0 : 1;
}
