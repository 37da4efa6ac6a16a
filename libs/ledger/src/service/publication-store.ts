import type { Tx } from '@tallygate/platform';
import type { Counter } from '../domain';
import type { LockedWallet } from './wallet-store';

export interface Unpublished {
  readonly wallets: readonly { readonly tenantId: string; readonly walletId: bigint }[];
  /** Customer id and feature key, concatenated. */
  readonly quotas: readonly { readonly tenantId: string; readonly name: string }[];
}

/** Which wallets and quotas changed since their facts last left. */
export abstract class PublicationStore {
  abstract unpublished(tx: Tx): Promise<Unpublished>;
  /** Locks those of the wallets whose facts are outdated, and marks them as published. */
  abstract takeWallets(tx: Tx, ids: readonly bigint[]): Promise<readonly LockedWallet[]>;
  /** The same for the newest counters of the named quotas. */
  abstract takeQuotas(tx: Tx, tenantId: string, names: readonly string[]): Promise<readonly Counter[]>;
}
