import type { CorrectedUsage } from '@tallygate/contracts';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { CutDebt, DebtHistory, DrawRow, Lot, PriceRow, RowPart } from '../domain';

/** Whose counters and wallets. */
export interface CustomerName {
  readonly tenantId: string;
  readonly customerId: string;
}

/** One stored row of an event: what a meter reads from it now, and which feature counts it. */
export interface EventRow {
  readonly ordinal: number;
  readonly meter: string | null;
  readonly quantity: Nano | null;
  readonly value: string | null;
  readonly group: Readonly<Record<string, string>>;
  readonly feature: string | null;
}

/** What a feature charged for an event, or changed of its charge. */
export interface EventCharge {
  /** `usage`: with its slice, or later in one of its own because no price had matched. */
  readonly kind: 'usage' | 'correction';
  readonly feature: string;
  readonly walletId: bigint | null;
  readonly unit: string | null;
  readonly sliceId: bigint;
  readonly position: number;
  readonly amount: Nano;
  readonly included: Nano;
}

/** A correction as it was taken. */
export interface StoredCorrection {
  readonly kind: CorrectedUsage['kind'];
  /** False: the event was reversed before, so that nothing changed. */
  readonly applied: boolean;
  readonly source: string;
  readonly id: string;
  readonly postedAt: Instant;
  readonly sliceId: bigint;
}

/** An event as it stands. */
export interface StoredEvent {
  readonly identity: string;
  readonly tenantId: string;
  readonly customerId: string;
  readonly source: string;
  readonly id: string;
  readonly occurredAt: Instant;
  readonly payload: string;
  readonly sliceId: bigint;
  /** What kind of event it is, as far as a correction said. */
  readonly type: string | null;
  readonly rows: readonly EventRow[];
  readonly charges: readonly EventCharge[];
  readonly corrections: readonly StoredCorrection[];
}

/** As much of a booked event as whoever corrects it must know. */
export interface BookedEvent {
  readonly source: string;
  readonly id: string;
  readonly customerId: string;
  /** As a correction named it; null where only the meters tell. */
  readonly type: string | null;
  readonly meters: readonly string[];
}

/** What a correction changes of a charge. */
export interface NewCharge {
  readonly feature: string;
  readonly walletId: bigint | null;
  readonly position: number;
  readonly amount: Nano;
  readonly included: Nano;
}

export interface NewCorrection {
  readonly event: StoredEvent;
  /** 128 bits over the correction's own tenant, source and id. */
  readonly identity: string;
  readonly source: string;
  readonly id: string;
  readonly kind: CorrectedUsage['kind'];
  readonly applied: boolean;
  readonly type: string;
  readonly postedAt: Instant;
  readonly sliceId: bigint;
}

/** Everything that tells an event's draws on one wallet apart from others'. */
export interface ChargeTrace {
  readonly parts: readonly RowPart[];
  /** Rows by which its corrections gave credit back. */
  readonly returned: readonly DrawRow[];
  readonly debts: ReadonlyMap<string, DebtHistory>;
}

/** Events again, after their slice: what corrections and attribution read and write. */
export abstract class CorrectionStore {
  /** Locks all counters, then all wallets of the customers, in the order that everyone takes. */
  abstract lockCustomers(tx: Tx, customers: readonly CustomerName[]): Promise<void>;
  /** Null: no event of this identity was booked. */
  abstract find(tx: Tx, tenantId: string, identity: string): Promise<StoredEvent | null>;
  /** Those of these identities that were booked; corrections are none. */
  abstract booked(tx: Tx, tenantId: string, identities: readonly string[]): Promise<readonly BookedEvent[]>;
  /** The charges of one wallet; to be asked under the wallet's lock. */
  abstract trace(tx: Tx, walletId: bigint, charges: readonly EventCharge[]): Promise<ChargeTrace>;
  abstract lots(tx: Tx, ids: readonly string[]): Promise<readonly Lot[]>;
  /** What the feature had charged in [from, to), by this price row, before the event. */
  abstract chargedBefore(
    tx: Tx,
    event: StoredEvent,
    feature: string,
    row: PriceRow,
    period: { readonly start: Instant; readonly end: Instant | null },
  ): Promise<Nano>;
  /**
   * Puts these rows in the place of the event's; the same feature's take the ordinals that are there.
   * @returns the ordinals that they have got
   */
  abstract rewrite(
    tx: Tx,
    event: StoredEvent,
    rows: readonly EventRow[],
    sliceId: bigint,
  ): Promise<readonly number[]>;
  /** Forgets what of the event waits for a price. */
  abstract unpark(tx: Tx, event: Pick<StoredEvent, 'tenantId' | 'source' | 'id'>): Promise<void>;
  /** @returns false when one of this identity was taken before: nothing was written */
  abstract addCorrection(tx: Tx, correction: NewCorrection): Promise<boolean>;
  abstract addCharges(
    tx: Tx,
    event: StoredEvent,
    sliceId: bigint,
    charges: readonly NewCharge[],
  ): Promise<void>;
  abstract addHoles(tx: Tx, tenantId: string, walletId: bigint, cuts: readonly CutDebt[]): Promise<void>;
}
