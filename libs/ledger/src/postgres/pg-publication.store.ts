import { Injectable } from '@nestjs/common';
import { bigints, texts, uuids } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { Counter } from '../domain';
import { PublicationStore } from '../service/publication-store';
import type { Told, Unpublished } from '../service/publication-store';
import { WalletStore } from '../service/wallet-store';
import type { LockedWallet } from '../service/wallet-store';
import { counterOf } from './pg-counter.store';
import type { CounterRow } from './pg-counter.store';
import * as sql from './sql/publication';

interface ToldRow {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly feature: string;
  readonly kind: Counter['kind'];
  readonly scope: string;
}

@Injectable()
export class PgPublicationStore extends PublicationStore {
  constructor(private readonly wallets: WalletStore) {
    super();
  }

  override async unpublished(tx: Tx): Promise<Unpublished> {
    const wallets = await tx.query<{ tenant_id: string; ids: bigint[] }>(sql.unpublishedWallets);
    const counters = await tx.query<ToldRow>(sql.unpublishedCounters);
    return {
      wallets: wallets.rows.map((row) => ({ tenantId: row.tenant_id, walletIds: row.ids })),
      counters: counters.rows.map((row) => ({
        tenantId: row.tenant_id,
        customerId: row.customer_id,
        feature: row.feature,
        kind: row.kind,
        scope: row.scope,
      })),
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

  override async takeCounters(tx: Tx, tenantId: string, told: readonly Told[]): Promise<readonly Counter[]> {
    const { rows } = await tx.query<CounterRow>(sql.takeCounters, [
      tenantId,
      uuids(told.map((one) => one.customerId)),
      texts(told.map((one) => one.feature)),
      texts(told.map((one) => one.kind)),
      texts(told.map((one) => one.scope)),
    ]);
    return rows.map(counterOf);
  }
}
