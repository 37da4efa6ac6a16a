import type { Price, PriceAnnouncement } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { NewRow } from '../domain';

/** Usage of one feature and group that was charged. */
export interface RatedUsage {
  readonly feature: string;
  readonly group: Readonly<Record<string, string>>;
  /** Own time of the earliest event. */
  readonly earliest: Instant;
}

/** Price rows that billing announced, until the catalog brings them. */
export abstract class AnnouncedPriceStore {
  /** Waits until no slice rates by the tenant's prices, and keeps them all out until the transaction ends. */
  abstract alone(tx: Tx, tenantId: string): Promise<void>;
  /** Usage charged for these features in the time and with the groups of the row. */
  abstract rated(
    tx: Tx,
    tenantId: string,
    features: readonly string[],
    row: NewRow,
  ): Promise<readonly RatedUsage[]>;
  abstract add(tx: Tx, announcement: PriceAnnouncement): Promise<void>;
  /** The rows of the tenant's announcements that a catalog of this revision does not hold. */
  abstract after(tx: Tx, tenantId: string, revision: number): Promise<readonly Price[]>;
  /** @returns whether it was there */
  abstract remove(tx: Tx, tenantId: string, id: string): Promise<boolean>;
  /** Removes what a catalog of this revision has settled. */
  abstract settle(tx: Tx, tenantId: string, revision: number): Promise<void>;
}
