import type { Tx } from '@tallygate/platform';

/** Folds usage into its roll-up, behind the writers. */
export abstract class UsageRollupStore {
  /**
   * Some slices that were not folded yet, and buckets that a correction rewrote.
   * @returns how many of both; 0: none is left, or another process is at it
   */
  abstract fold(tx: Tx, most: number): Promise<number>;
}
