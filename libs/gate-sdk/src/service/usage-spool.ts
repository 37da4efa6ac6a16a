import type { UsageEvent } from '../domain/usage-event';

/** Usage of one tenant that waits for the sink. */
export interface KeptBatch {
  readonly id: string;
  readonly tenantId: string;
  readonly count: number;
}

/** Keeps batches until they are delivered: in memory, or on disk so that they outlive the process. */
export abstract class UsageSpool {
  /** What was kept before this start, oldest first. */
  abstract load(): Promise<readonly KeptBatch[]>;
  abstract keep(tenantId: string, events: readonly UsageEvent[]): Promise<KeptBatch>;
  abstract read(batch: KeptBatch): Promise<readonly UsageEvent[]>;
  abstract remove(batch: KeptBatch): Promise<void>;
}

/** Keeps batches as long as the process lives. */
export class MemorySpool extends UsageSpool {
  private readonly batches = new Map<string, readonly UsageEvent[]>();
  private last = 0;

  override async load(): Promise<readonly KeptBatch[]> {
    return [];
  }

  override async keep(tenantId: string, events: readonly UsageEvent[]): Promise<KeptBatch> {
    this.last += 1;
    const id = String(this.last);
    this.batches.set(id, events);
    return { id, tenantId, count: events.length };
  }

  override async read({ id }: KeptBatch): Promise<readonly UsageEvent[]> {
    return this.batches.get(id) ?? [];
  }

  override async remove({ id }: KeptBatch): Promise<void> {
    this.batches.delete(id);
  }
}
