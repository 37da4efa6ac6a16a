import type { Duration, Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { GrantKind, Lot, Rollover } from '../domain';

/** A grant to store, before its lots. */
export interface NewGrant {
  readonly id: string;
  readonly tenantId: string;
  readonly walletId: bigint;
  readonly key: string;
  /** Where it came from: `api`, or the one top-up or plan period that may be granted once. */
  readonly source: string;
  readonly kind: GrantKind;
  readonly priority: number;
  readonly amount: Nano;
  readonly effectiveAt: Instant;
  readonly expiresAt: Instant | null;
  readonly features: readonly string[] | null;
  readonly recurrence: {
    readonly every: string;
    readonly step: Duration;
    readonly anchor: Instant;
    readonly zone: string;
  } | null;
  readonly rollover: Rollover | null;
  readonly createdAt: Instant;
}

export interface StoredGrant {
  readonly id: string;
  readonly walletId: bigint;
  readonly voidedAt: Instant | null;
  /** How much of it was taken back because its money went back. */
  readonly reversed: Nano;
}

export abstract class GrantStore {
  /** @returns false when the key or the source is taken: nothing was written */
  abstract insert(tx: Tx, grant: NewGrant): Promise<boolean>;
  abstract byKey(tx: Tx, tenantId: string, key: string): Promise<StoredGrant | null>;
  abstract bySource(tx: Tx, tenantId: string, source: string): Promise<StoredGrant | null>;
  /** All its lots, also those that are done with. */
  abstract lots(tx: Tx, grantId: string): Promise<readonly Lot[]>;
  /** @returns false when the same or later news is known: nothing was written */
  abstract markReversed(tx: Tx, grantId: string, reversed: Nano, version: number): Promise<boolean>;
  /** Ends a recurring grant's series too. */
  abstract markVoided(tx: Tx, grantId: string, at: Instant): Promise<void>;
}
