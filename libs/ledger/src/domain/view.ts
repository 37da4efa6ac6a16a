import type { Instant, Nano } from '@tallygate/kernel';
import { burnOrder, endOf, isClosed, isValidAt } from './lot';
import type { Lot } from './lot';

export type GrantStatus = 'pending' | 'active' | 'used' | 'expired' | 'voided';

/** One row of a wallet's list of grants; a recurring grant is one row. */
export interface GrantView {
  readonly key: string;
  readonly remaining: Nano;
  readonly held: Nano;
  readonly status: GrantStatus;
  readonly amount: Nano;
  readonly priority: number;
  readonly kind: Lot['kind'];
  readonly effectiveAt: Instant;
  readonly expiresAt: Instant | null;
  readonly features: readonly string[] | null;
}

/** Past its end a lot reads 0, also before its expiry is posted. */
export function readsAs(lot: Lot, at: Instant): Nano {
  return isValidAt(lot, at) || (lot.effectiveAt > at && !isClosed(lot)) ? lot.remaining : 0n;
}

export function statusAt(lot: Lot, at: Instant): GrantStatus {
  if (lot.state === 'voided' || lot.state === 'expired') return lot.state;
  if (lot.remaining === 0n && lot.held === 0n) return 'used';
  if (lot.effectiveAt > at) return 'pending';
  if (endOf(lot) > at) return 'active';
  return lot.remaining > 0n ? 'expired' : 'used';
}

/** All grants in burn order; a recurring one stands at its earliest-ending live lot, with the sum of its lots. */
export function grantsView(lots: readonly Lot[], at: Instant): GrantView[] {
  const byGrant = new Map<string, Lot[]>();
  for (const lot of lots) byGrant.set(lot.grantId, [...(byGrant.get(lot.grantId) ?? []), lot]);
  const rows = [...byGrant.values()].map((own) => ({ own, shown: shownOf(own, at) }));
  rows.sort((a, b) => burnOrder(a.shown, b.shown));
  return rows.map(({ own, shown }) => viewOf(own, shown, at));
}

function shownOf(lots: readonly Lot[], at: Instant): Lot {
  const inOrder = [...lots].sort(burnOrder);
  const live = inOrder.filter((lot) => statusAt(lot, at) === 'active');
  const shown = live.sort((a, b) => endOf(a) - endOf(b))[0] ?? inOrder.at(-1);
  if (shown === undefined) throw new RangeError('A grant has at least one lot');
  return shown;
}

function viewOf(lots: readonly Lot[], shown: Lot, at: Instant): GrantView {
  const sum = (of: (lot: Lot) => Nano): Nano => lots.reduce((total, lot) => total + of(lot), 0n);
  return {
    key: shown.grantKey,
    remaining: sum((lot) => readsAs(lot, at)),
    held: sum((lot) => lot.held),
    status: statusAt(shown, at),
    amount: shown.amount,
    priority: shown.priority,
    kind: shown.kind,
    effectiveAt: shown.effectiveAt,
    expiresAt: shown.expiresAt,
    features: shown.features,
  };
}
