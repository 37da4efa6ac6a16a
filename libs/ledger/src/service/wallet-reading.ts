import type { Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { EntryKind, GrantView } from '../domain';

export interface WalletReading {
  /** Free credit of valid lots, less debt. */
  readonly available: Nano;
  readonly held: Nano;
  readonly debt: Nano;
  readonly grants: readonly GrantView[];
}

export interface StatementRow {
  readonly version: bigint;
  readonly at: Instant;
  readonly effectiveAt: Instant;
  readonly kind: EntryKind;
  readonly amount: Nano;
  readonly held: Nano;
  readonly grant: string | null;
  readonly feature: string | null;
  readonly reference: string | null;
  /** Free credit less debt after it. */
  readonly balance: Nano;
}

export interface Statement {
  /** Free credit less debt before the first row, and after the last. */
  readonly opening: Nano;
  readonly closing: Nano;
  readonly entries: readonly StatementRow[];
}

export interface JournalVerdict {
  /** Every row sums to zero, and wallets, lots and debts equal the fold of the journal. */
  readonly balanced: boolean;
  /** No wallet's versions have a gap. */
  readonly gapless: boolean;
}

/** Reads wallets for people and programs; changes nothing. */
export abstract class WalletReadings {
  abstract now(tx: Tx, walletId: bigint, now: Instant): Promise<WalletReading>;
  /** By effect at `at`, of what was posted by `knownAt`. */
  abstract past(tx: Tx, walletId: bigint, at: Instant, knownAt: Instant): Promise<WalletReading>;
  /** Rows posted in [from, to). */
  abstract statement(tx: Tx, walletId: bigint, from: Instant | null, to: Instant | null): Promise<Statement>;
  abstract verify(tx: Tx, tenantId: string): Promise<JournalVerdict>;
}
