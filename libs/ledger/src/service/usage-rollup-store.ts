import type { Tx } from '@tallygate/platform';

export interface Folded {
  /** Slices that were not folded yet, and buckets that a correction rewrote; 0: none is left, or another process is at it. */
  readonly folded: number;
  /** The newest slice that waits; null: none does. */
  readonly newest: bigint | null;
}

/** Folds usage into its roll-up, behind the writers. */
export abstract class UsageRollupStore {
  /** @param most slices, and buckets */
  abstract fold(tx: Tx, most: number): Promise<Folded>;
}
