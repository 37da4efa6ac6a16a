import { Injectable } from '@nestjs/common';
import type { Tx } from '@tallygate/platform';
import type { Counter } from '../domain';
import { PublicationStore } from '../service/publication-store';
import type { Unpublished } from '../service/publication-store';
import { WalletStore } from '../service/wallet-store';
import type { LockedWallet } from '../service/wallet-store';
import { bigints, texts, uuids } from './arrays';
import { counterOf } from './pg-counter.store';
import type { CounterRow } from './pg-counter.store';
import * as sql from './sql/publication';

const UUID_LENGTH = 36;

@Injectable()
export class PgPublicationStore extends PublicationStore {
  constructor(private readonly wallets: WalletStore) {
    super();
  }

  override async unpublished(tx: Tx): Promise<Unpublished> {
    const wallets = await tx.query<{ tenant_id: string; id: bigint }>(sql.unpublishedWallets);
    const quotas = await tx.query<{ tenant_id: string; customer_id: string; feature: string }>(
      sql.unpublishedQuotas,
    );
    return {
      wallets: wallets.rows.map((row) => ({ tenantId: row.tenant_id, walletId: row.id })),
      quotas: quotas.rows.map((row) => ({ tenantId: row.tenant_id, name: row.customer_id + row.feature })),
    };
  }

  override async takeWallets(tx: Tx, ids: readonly bigint[]): Promise<readonly LockedWallet[]> {
    const { rows } = await tx.query<{ id: bigint }>(sql.takeWallets, [bigints(ids)]);
    if (rows.length === 0) return [];
    const wallets = await this.wallets.read(
      tx,
      rows.map((row) => row.id),
    );
    return [...wallets.values()];
  }

  override async takeQuotas(tx: Tx, tenantId: string, names: readonly string[]): Promise<readonly Counter[]> {
    const { rows } = await tx.query<CounterRow>(sql.takeQuotas, [
      tenantId,
      uuids(names.map((name) => name.slice(0, UUID_LENGTH))),
      texts(names.map((name) => name.slice(UUID_LENGTH))),
    ]);
    return rows.map(counterOf);
  }
}
