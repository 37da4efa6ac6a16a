import type { UsageEvent } from '../domain/usage-event';

/** What became of a batch. What was refused will never be taken; sending it again is of no use. */
export interface Delivery {
  readonly taken: number;
  readonly refused: number;
  /** Places of the refused ones among the events sent; not given where none was. */
  readonly refusedAt?: readonly number[];
  /** Why some were refused; null when none was. */
  readonly problem: string | null;
}

/** Where usage goes: Kafka, or ingestion over HTTP. A sink that cannot be reached rejects, and is tried again. */
export abstract class UsageSink {
  abstract send(tenantId: string, events: readonly UsageEvent[]): Promise<Delivery>;
  abstract close(): Promise<void>;
}
