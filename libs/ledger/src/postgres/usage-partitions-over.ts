import { randomBytes } from 'node:crypto';
import { SequentialIds, toMillis } from '@tallygate/kernel';
import type { Clock } from '@tallygate/kernel';
import type { Database } from '@tallygate/platform';
import { UsagePartitions } from '../service/usage-partitions';
import { PgPartitionStore } from './pg-partition.store';

/** The partitions of usage without a ledger around them: for the command. */
export function usagePartitionsOver(database: Database, clock: Clock): UsagePartitions {
  const ids = new SequentialIds(
    () => toMillis(clock.now()),
    (bytes) => randomBytes(bytes),
  );
  return new UsagePartitions(database, new PgPartitionStore(), ids);
}
