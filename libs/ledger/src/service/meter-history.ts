import type { Meter } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';

/** How a meter aggregated, from an instant until the next version's; null: since always. */
export interface MeterVersion {
  readonly from: Instant | null;
  readonly aggregation: Meter['aggregation'];
}

/** Aggregations of meters over time: a meter that is changed after use shows its past as it was. */
export abstract class MeterHistory {
  /** Takes in a catalog's meters; what has not changed is no new version. */
  abstract record(tx: Tx, tenantId: string, meters: readonly Meter[], from: Instant): Promise<void>;
  /** Oldest first. */
  abstract of(tx: Tx, tenantId: string, meter: string): Promise<readonly MeterVersion[]>;
}

/** The aggregation in force just before the end of a range; a meter that is not known yet has its present one. */
export function aggregationBefore(
  end: Instant,
  versions: readonly MeterVersion[],
  present: Meter['aggregation'],
): Meter['aggregation'] {
  return versions.findLast(({ from }) => from === null || from < end)?.aggregation ?? present;
}
