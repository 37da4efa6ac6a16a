import { Injectable } from '@nestjs/common';
import type { Tx } from '@tallygate/platform';
import { UsageRollupStore } from '../service/usage-rollup-store';
import type { Folded } from '../service/usage-rollup-store';
import * as sql from './sql/usage-rollup';

interface DirtyBucket {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly meter: string;
  readonly bucket: string;
}

@Injectable()
export class PgUsageRollupStore extends UsageRollupStore {
  override async fold(tx: Tx, most: number): Promise<Folded> {
    const { rows } = await tx.query<{ claimed: boolean; newest: bigint | null }>(sql.claimFolding);
    const { claimed = false, newest = null } = rows[0] ?? {};
    if (!claimed) return { folded: 0, newest };
    return { folded: (await this.foldSlices(tx, most)) + (await this.recount(tx, most)), newest };
  }

  private async foldSlices(tx: Tx, most: number): Promise<number> {
    const { rows } = await tx.query<{ slice_id: bigint }>(sql.takeUnfolded, [most]);
    const slices = rows.map(({ slice_id }) => slice_id).sort((a, b) => (a < b ? -1 : 1));
    if (slices.length > 0) await tx.query(sql.foldSlices, [slices, slices[0], slices.at(-1)]);
    return slices.length;
  }

  private async recount(tx: Tx, most: number): Promise<number> {
    const { rows } = await tx.query<DirtyBucket>(sql.takeDirty, [most]);
    if (rows.length === 0) return 0;
    const dirty = [
      rows.map((row) => row.tenant_id),
      rows.map((row) => row.customer_id),
      rows.map((row) => row.meter),
      rows.map((row) => row.bucket),
    ];
    await tx.query(sql.dropBuckets, dirty);
    await tx.query(sql.recountBuckets, dirty);
    return rows.length;
  }
}
