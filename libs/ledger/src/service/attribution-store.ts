import type { Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { DebtHistory, DrawRow } from '../domain';

/** A journal row with where it came from. */
export interface TracedRow extends DrawRow {
  readonly postedAt: Instant;
  readonly sliceId: bigint | null;
  readonly feature: string | null;
  readonly reference: string | null;
  readonly grant: string | null;
}

/** What an event charged, at its place in a slice. */
export interface PlacedCharge {
  readonly kind: 'usage' | 'correction';
  readonly source: string;
  readonly id: string;
  readonly occurredAt: Instant;
  readonly amount: Nano;
}

/** Reads the journal backwards, from its rows to events. */
export abstract class AttributionStore {
  abstract row(tx: Tx, walletId: bigint, version: number): Promise<TracedRow | null>;
  /** Usage, debt and corrections of one feature in one slice, in their order. */
  abstract rowsOfSlice(
    tx: Tx,
    walletId: bigint,
    sliceId: bigint,
    feature: string,
  ): Promise<readonly DrawRow[]>;
  /** What its events charged, in the order of their places. */
  abstract charges(
    tx: Tx,
    walletId: bigint,
    sliceId: bigint,
    feature: string,
  ): Promise<readonly PlacedCharge[]>;
  abstract correctedIn(
    tx: Tx,
    sliceId: bigint,
  ): Promise<{ readonly source: string; readonly id: string; readonly occurredAt: Instant } | null>;
  abstract debt(tx: Tx, walletId: bigint, debtId: string): Promise<DebtHistory>;
}
