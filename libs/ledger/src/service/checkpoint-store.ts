import type { Tx } from '@tallygate/platform';

/** Sums of long journals. */
export abstract class CheckpointStore {
  /** Wallets whose journal has grown enough since their last checkpoint. */
  abstract wanting(tx: Tx, most: number): Promise<readonly bigint[]>;
  /** Writes a wallet's next checkpoint. @returns false when another process did, or there are too few rows */
  abstract add(tx: Tx, walletId: bigint): Promise<boolean>;
}
