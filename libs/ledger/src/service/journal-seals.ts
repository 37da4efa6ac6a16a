import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';

export interface SealRound {
  /** The wallet to go on after; null: this was the last one. */
  readonly next: bigint | null;
  readonly rows: bigint;
  /** Wallets that could not be sealed, because rows of theirs are missing. */
  readonly broken: readonly bigint[];
}

/** The end of a tenant's chain: who keeps it elsewhere can tell later whether the chain was made anew. */
export interface SealHead {
  readonly seq: bigint;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly sealedAt: Instant;
}

/** The first thing that is not as it was written: a row by its wallet and version, or a seal. */
export interface ChainFault {
  readonly wallet: {
    readonly id: bigint;
    readonly customer: string | null;
    readonly unit: string | null;
  } | null;
  readonly version: bigint | null;
  readonly seal: bigint | null;
  readonly differs: string;
}

export interface ChainVerdict {
  readonly sealedRows: bigint;
  /** Rows that no seal covers yet: checked for gaps and balance only. */
  readonly openRows: bigint;
  readonly head: SealHead | null;
  readonly fault: ChainFault | null;
}

/** Seals over the journal, and the check of the journal against them. */
export abstract class JournalSeals {
  /** @returns whether this transaction is the one that seals now */
  abstract begin(tx: Tx): Promise<boolean>;
  /** Seals what is not sealed of the wallets after `after`, a bounded bite of it. */
  abstract seal(tx: Tx, after: bigint, at: Instant): Promise<SealRound>;
  abstract tenants(tx: Tx): Promise<readonly string[]>;
  /** Recomputes a tenant's seals from the rows of the journal. */
  abstract verify(tx: Tx, tenantId: string): Promise<ChainVerdict>;
  /** One seal of a tenant's chain as it is now; null: there is none of this number. */
  abstract sealOf(tx: Tx, tenantId: string, seq: bigint): Promise<SealHead | null>;
}
