import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { instantFromPg, pgInstant } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { PartitionStore } from '../service/usage-partitions';
import type {
  PartitionName,
  PartitionState,
  PartitionStop,
  SkipOutcome,
  SkipRequest,
} from '../service/usage-partitions';
import { USAGE_GROUP } from './pg-usage.store';
import * as sql from './sql/partition';

interface PartitionRow {
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: bigint;
  readonly epoch: bigint;
  readonly owner: string | null;
  readonly first_offset: bigint | null;
  readonly stopped_at: string | null;
}

@Injectable()
export class PgPartitionStore extends PartitionStore {
  override async list(tx: Tx): Promise<readonly PartitionState[]> {
    const { rows } = await tx.query<PartitionRow & Record<string, unknown>>(sql.listPartitions, [
      USAGE_GROUP,
    ]);
    return rows.map((row) => ({
      topic: row.topic,
      partition: row.partition,
      next: row.next_offset,
      epoch: row.epoch,
      owner: row.owner,
      stop:
        row.first_offset === null || row.stopped_at === null
          ? null
          : { first: row.first_offset, stoppedAt: instantFromPg(row.stopped_at) },
    }));
  }

  override async stop(
    tx: Tx,
    { topic, partition, stored, first, stoppedAt }: PartitionStop,
  ): Promise<boolean> {
    const values = [topic, partition, stored, first, pgInstant(stoppedAt)];
    const { rows } = await tx.query<{ fresh: boolean }>(sql.stopPartition, values);
    return rows[0]?.fresh === true;
  }

  override async tenants(tx: Tx): Promise<readonly string[]> {
    const { rows } = await tx.query<{ tenant_id: string }>(sql.tenantsTold);
    return rows.map((row) => row.tenant_id);
  }

  override async clear(tx: Tx, { topic, partition }: PartitionName): Promise<void> {
    await tx.query(sql.clearStop, [topic, partition]);
  }

  override async skip(tx: Tx, request: SkipRequest, id: string, now: Instant): Promise<SkipOutcome> {
    const { topic, partition, author, reason } = request;
    const { rows } = await tx.query<{ from_offset: bigint; to_offset: bigint }>(sql.skipPartition, [
      USAGE_GROUP,
      topic,
      partition,
      id,
      author,
      reason,
      pgInstant(now),
    ]);
    const row = rows[0];
    return row === undefined
      ? { status: 'not_stopped' }
      : { status: 'skipped', from: row.from_offset, to: row.to_offset };
  }
}
