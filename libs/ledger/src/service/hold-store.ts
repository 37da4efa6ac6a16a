import type { Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { HoldState, WalletKey } from '../domain';

/** A hold whatever became of it, and whose credit it pinned. */
export interface StoredHold extends WalletKey {
  readonly walletId: bigint;
  readonly state: HoldState;
  readonly feature: string | null;
  readonly amount: Nano;
}

export abstract class HoldStore {
  abstract find(tx: Tx, tenantId: string, key: string): Promise<StoredHold | null>;
}
