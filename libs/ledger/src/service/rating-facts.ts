import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { RatingBook, SubscriptionTerms } from '../domain';

/** What rating looks up of one tenant or customer. */
export abstract class RatingFacts {
  abstract book(tx: Tx, tenantId: string): Promise<RatingBook | null>;
  abstract history(tx: Tx, tenantId: string, customerId: string): Promise<readonly SubscriptionTerms[]>;
  /** The customer's zone, else the tenant's. */
  abstract zoneOf(tx: Tx, tenantId: string, customerId: string): Promise<string>;
}

/** A parked charge as stored. */
export interface StoredParked {
  readonly id: bigint;
  readonly tenantId: string;
  readonly customerId: string;
  readonly source: string;
  readonly eventId: string;
  readonly feature: string;
  readonly code: string;
  readonly occurredAt: Instant;
  readonly reading: unknown;
  readonly ordinal: number;
}

export abstract class ParkedStore {
  abstract list(tx: Tx, tenantId: string): Promise<readonly StoredParked[]>;
  /** The tenant's parked charges, oldest first, locked. */
  abstract take(tx: Tx, tenantId: string): Promise<readonly StoredParked[]>;
  abstract remove(tx: Tx, ids: readonly bigint[]): Promise<void>;
}
