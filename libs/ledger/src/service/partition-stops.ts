import { Injectable } from '@nestjs/common';
import { formatInstant, Ids } from '@tallygate/kernel';
import { Database, Outbox } from '@tallygate/platform';
import type { OutboxRecord } from '@tallygate/platform';
import { record } from './ledger-facts';
import { PartitionStore } from './usage-partitions';
import type { PartitionName, PartitionStop } from './usage-partitions';

/** Notes that a partition stands still, and alerts every tenant: only they can send again what was lost. */
@Injectable()
export class PartitionStops {
  constructor(
    private readonly database: Database,
    private readonly store: PartitionStore,
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  /** May be repeated at each try; the alert goes out once. */
  async stop(stop: PartitionStop): Promise<void> {
    await this.database.asWorker(async (tx) => {
      if (!(await this.store.stop(tx, stop))) return;
      const tenants = await this.store.tenants(tx);
      await this.outbox.add(
        tx,
        tenants.map((tenantId) => this.alert(tenantId, stop)),
      );
    });
  }

  clear(name: PartitionName): Promise<void> {
    return this.database.asWorker((tx) => this.store.clear(tx, name));
  }

  private alert(
    tenantId: string,
    { topic, partition, stored, first, stoppedAt }: PartitionStop,
  ): OutboxRecord {
    const detail = `Usage at offsets ${stored} to ${first - 1n} of ${topic}/${partition} is gone from the log and was not booked. Send again what the sources still have: what was booked counts once.`;
    return record(tenantId, {
      id: this.ids.next(),
      type: 'alert.raised',
      tenantId,
      occurredAt: formatInstant(stoppedAt),
      data: { kind: 'usage_partition_stopped', detail },
    });
  }
}
