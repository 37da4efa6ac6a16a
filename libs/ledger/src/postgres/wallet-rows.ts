import { invariant, parseAmount, parseDuration } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { instantFromPg, instantOrNullFromPg } from '@tallygate/platform';
import { isClosed } from '../domain';
import { sharedInstant, sharedInstantOrNull } from './pg-instants';
import type { Debt, GrantKind, Hold, HoldState, Lot, LotState, Recurrence } from '../domain';

export interface WalletRow {
  readonly id: bigint;
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly unit: string;
  readonly version: bigint;
  readonly revision: bigint;
  readonly holding: boolean;
  readonly owing: boolean;
  readonly overdraft: string;
  readonly lateness_micros: bigint;
  readonly last_expiry_at: string | null;
  readonly last_credit_at: string | null;
  readonly due_at: string | null;
  readonly untold: string | null;
}

export interface LotRow {
  readonly id: string;
  readonly wallet_id: bigint;
  readonly grant_id: string;
  readonly grant_key: string;
  readonly kind: GrantKind;
  readonly priority: number;
  readonly effective_at: string;
  readonly expires_at: string | null;
  readonly features: string[] | null;
  readonly amount: string;
  readonly remaining: string;
  readonly held: string;
  readonly state: LotState;
}

export interface DebtRow {
  readonly id: string;
  readonly wallet_id: bigint;
  readonly feature: string | null;
  readonly occurred_at: string;
  readonly total: string;
  readonly repaid: string;
}

export interface HoldRow {
  readonly id: string;
  readonly wallet_id: bigint;
  readonly key: string;
  readonly feature: string | null;
  readonly amount: string;
  readonly expires_at: string;
  readonly parts: readonly { readonly lotId: string; readonly amount: string }[];
  readonly state: HoldState;
  readonly resolved_at: string | null;
}

export interface RecurrenceRow {
  readonly id: string;
  readonly wallet_id: bigint;
  readonly key: string;
  readonly kind: GrantKind;
  readonly priority: number;
  readonly features: string[] | null;
  readonly amount: string;
  readonly every: string;
  readonly effective_at: string;
  readonly anchor: string;
  readonly zone: string;
  readonly expires_at: string | null;
  readonly rollover_min: string | null;
  readonly rollover_max: string | null;
  readonly next_at: string;
}

/** Up to here every integer is a double, and reading one is several times faster than reading a bigint. */
const MOST_DIGITS = 15;

/** The text of a numeric with nine decimals: a sum may be larger than any amount that is let in. */
export function amountFromPg(text: string): Nano {
  const point = text.length - 10;
  if (text[point] === '.') {
    const digits = text.slice(0, point) + text.slice(point + 1);
    return BigInt(text.length <= MOST_DIGITS ? Number(digits) : digits);
  }
  const parsed = parseAmount(text);
  invariant(parsed.ok, 'A numeric(38,9) of the ledger reads back as an amount');
  return parsed.value;
}

/** Whether a lot is read with its wallet: something of it is left to draw, or held. */
export function isLive(lot: Lot): boolean {
  return lot.held > 0n || (!isClosed(lot) && lot.remaining > 0n);
}

export function lotOf(row: LotRow): Lot {
  return {
    id: row.id,
    grantId: row.grant_id,
    grantKey: row.grant_key,
    kind: row.kind,
    priority: row.priority,
    effectiveAt: sharedInstant(row.effective_at),
    expiresAt: sharedInstantOrNull(row.expires_at),
    features: row.features,
    amount: amountFromPg(row.amount),
    remaining: amountFromPg(row.remaining),
    held: amountFromPg(row.held),
    state: row.state,
  };
}

export function debtOfRow(row: DebtRow): Debt {
  return {
    id: row.id,
    feature: row.feature,
    occurredAt: instantFromPg(row.occurred_at),
    total: amountFromPg(row.total),
    repaid: amountFromPg(row.repaid),
  };
}

export function holdOf(row: HoldRow): Hold {
  return {
    id: row.id,
    key: row.key,
    feature: row.feature,
    amount: amountFromPg(row.amount),
    expiresAt: instantFromPg(row.expires_at),
    parts: row.parts.map(({ lotId, amount }) => ({ lotId, amount: amountFromPg(amount) })),
    state: row.state,
    resolvedAt: instantOrNullFromPg(row.resolved_at) as Instant | null,
  };
}

export function recurrenceOf(row: RecurrenceRow): Recurrence {
  const every = parseDuration(row.every);
  invariant(every.ok, 'A stored recurrence has a duration');
  const rolls = row.rollover_min !== null || row.rollover_max !== null;
  return {
    grantId: row.id,
    grantKey: row.key,
    kind: row.kind,
    priority: row.priority,
    features: row.features,
    amount: amountFromPg(row.amount),
    every: every.value,
    anchor: instantFromPg(row.anchor),
    startsAt: instantFromPg(row.effective_at),
    zone: row.zone,
    endsAt: instantOrNullFromPg(row.expires_at),
    rollover: rolls
      ? {
          min: row.rollover_min === null ? 0n : amountFromPg(row.rollover_min),
          max: row.rollover_max === null ? null : amountFromPg(row.rollover_max),
        }
      : null,
    nextAt: instantFromPg(row.next_at),
  };
}
