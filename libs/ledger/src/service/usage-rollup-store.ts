import type { Tx } from '@tallygate/platform';

export interface Folded {
  /** Slices, and buckets that a correction rewrote; 0: none waited, or another process is at it. */
  readonly folded: number;
  /** The newest slice that waited; null: none did. */
  readonly newest: bigint | null;
  /** Whether some still wait. */
  readonly more: boolean;
}

/** Folds usage into its roll-up, behind the writers. */
export abstract class UsageRollupStore {
  /** @param most slices, and buckets */
  abstract fold(tx: Tx, most: number): Promise<Folded>;
}
