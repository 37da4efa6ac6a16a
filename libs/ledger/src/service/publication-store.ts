import type { Tx } from '@tallygate/platform';
import type { Counter } from '../domain';
import type { LockedWallet } from './wallet-store';

export interface Unpublished {
  /** Of each tenant those first that moved most beside what was last told of them. */
  readonly wallets: readonly { readonly tenantId: string; readonly walletIds: readonly bigint[] }[];
  readonly counters: readonly ({ readonly tenantId: string } & Told)[];
}

/** A quota or a spend cap, over all its periods. */
export type Told = Pick<Counter, 'customerId' | 'feature' | 'kind' | 'scope'>;

/** Which wallets, quotas and spend caps changed since their facts last left. */
export abstract class PublicationStore {
  abstract unpublished(tx: Tx): Promise<Unpublished>;
  /** Locks those of the wallets whose facts are outdated, and marks them as published. */
  abstract takeWallets(tx: Tx, ids: readonly bigint[]): Promise<readonly LockedWallet[]>;
  /** The same for the newest counter of each. */
  abstract takeCounters(tx: Tx, tenantId: string, told: readonly Told[]): Promise<readonly Counter[]>;
}
