import { instantFromPg } from '@tallygate/platform';
import type { EventCharge, EventRow, StoredCorrection } from '../service/correction-store';
import { amountFromPg } from './wallet-rows';

export interface EventSqlRow extends Record<string, unknown> {
  readonly customer_id: string;
  readonly source: string;
  readonly event_id: string;
  readonly occurred_at: string;
  readonly payload: string;
  readonly ordinal: number;
  readonly meter: string | null;
  readonly quantity: string | null;
  readonly value: string | null;
  readonly grp: Record<string, string> | null;
  readonly feature: string | null;
  readonly slice_id: bigint;
  readonly position: number;
  readonly wallet_id: bigint | null;
  readonly unit: string | null;
  readonly amount: string | null;
  readonly included: string | null;
}

export interface BookedSqlRow extends Record<string, unknown> {
  readonly source: string;
  readonly event_id: string;
  readonly customer_id: string;
  readonly meters: string[] | null;
  readonly type: string | null;
}

export interface ChargeSqlRow extends Record<string, unknown> {
  readonly kind: EventCharge['kind'];
  readonly feature: string;
  readonly wallet_id: bigint | null;
  readonly unit: string | null;
  readonly slice_id: bigint;
  readonly position: number;
  readonly amount: string;
  readonly included: string;
}

export interface CorrectionSqlRow extends Record<string, unknown> {
  readonly kind: StoredCorrection['kind'];
  readonly applied: boolean;
  readonly source: string;
  readonly correction_id: string;
  readonly type: string;
  readonly posted_at: string;
  readonly slice_id: bigint;
}

export function eventRowOf(row: EventSqlRow): EventRow {
  return {
    ordinal: row.ordinal,
    meter: row.meter,
    quantity: row.quantity === null ? null : amountFromPg(row.quantity),
    value: row.value,
    group: row.grp ?? {},
    feature: row.feature,
  };
}

/** What the row charged with its slice; nothing for one that was only counted by its meter. */
export function chargeOfRow(row: EventSqlRow): EventCharge[] {
  const { feature, amount, included } = row;
  if (feature === null || (amount === null && included === null)) return [];
  return [
    laterChargeOf({ ...row, kind: 'usage', feature, amount: amount ?? NOUGHT, included: included ?? NOUGHT }),
  ];
}

const NOUGHT = '0.000000000';

export function laterChargeOf(row: ChargeSqlRow): EventCharge {
  return {
    kind: row.kind,
    feature: row.feature,
    walletId: row.wallet_id,
    unit: row.unit,
    sliceId: row.slice_id,
    position: row.position,
    amount: amountFromPg(row.amount),
    included: amountFromPg(row.included),
  };
}

export function correctionOf(row: CorrectionSqlRow): StoredCorrection {
  return {
    kind: row.kind,
    applied: row.applied,
    source: row.source,
    id: row.correction_id,
    postedAt: instantFromPg(row.posted_at),
    sliceId: row.slice_id,
  };
}
