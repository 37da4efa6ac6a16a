import { Injectable } from '@nestjs/common';
import type { Tx } from '@tallygate/platform';
import { CheckpointStore } from '../service/checkpoint-store';
import { addCheckpoint, wantingCheckpoints } from './sql/checkpoint';

@Injectable()
export class PgCheckpointStore extends CheckpointStore {
  override async wanting(tx: Tx, most: number): Promise<readonly bigint[]> {
    const { rows } = await tx.query<{ id: bigint }>(wantingCheckpoints, [most]);
    return rows.map((row) => row.id);
  }

  override async add(tx: Tx, walletId: bigint): Promise<boolean> {
    const { rowCount } = await tx.query(addCheckpoint, [walletId]);
    return rowCount === 1;
  }
}
