import { Injectable } from '@nestjs/common';
import type { Tx } from '@tallygate/platform';
import type { HoldState } from '../domain';
import { HoldStore } from '../service/hold-store';

@Injectable()
export class PgHoldStore extends HoldStore {
  override async find(tx: Tx, tenantId: string, key: string) {
    const { rows } = await tx.query<{ wallet_id: bigint; state: HoldState }>(
      'select wallet_id, state from hold where tenant_id = $1 and key = $2',
      [tenantId, key],
    );
    return rows[0] === undefined ? null : { walletId: rows[0].wallet_id, state: rows[0].state };
  }
}
