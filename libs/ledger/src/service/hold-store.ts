import type { Tx } from '@tallygate/platform';
import type { HoldState } from '../domain';

export abstract class HoldStore {
  abstract find(
    tx: Tx,
    tenantId: string,
    key: string,
  ): Promise<{ readonly walletId: bigint; readonly state: HoldState } | null>;
}
