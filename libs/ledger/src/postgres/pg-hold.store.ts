import { Injectable } from '@nestjs/common';
import type { Tx } from '@tallygate/platform';
import type { HoldState } from '../domain';
import { HoldStore } from '../service/hold-store';
import type { StoredHold } from '../service/hold-store';
import { amountFromPg } from './wallet-rows';

interface Row {
  readonly wallet_id: bigint;
  readonly customer_id: string;
  readonly unit: string;
  readonly state: HoldState;
  readonly feature: string | null;
  readonly amount: string;
}

const FIND = {
  name: 'ledger_find_hold',
  text: `
select h.wallet_id, w.customer_id, w.unit, h.state, h.feature, h.amount
  from hold h join wallet w on w.id = h.wallet_id
 where h.tenant_id = $1 and h.key = $2`,
};

@Injectable()
export class PgHoldStore extends HoldStore {
  override async find(tx: Tx, tenantId: string, key: string): Promise<StoredHold | null> {
    const { rows } = await tx.query<Row & Record<string, unknown>>(FIND, [tenantId, key]);
    const row = rows[0];
    if (row === undefined) return null;
    return {
      tenantId,
      customerId: row.customer_id,
      unit: row.unit,
      walletId: row.wallet_id,
      state: row.state,
      feature: row.feature,
      amount: amountFromPg(row.amount),
    };
  }
}
