import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Database } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';

export interface PartitionName {
  readonly topic: string;
  readonly partition: number;
}

/** Messages from `stored` to `first` are gone from the log; nothing of the partition is taken until somebody says so. */
export interface PartitionStop extends PartitionName {
  readonly stored: bigint;
  /** The first offset that exists. */
  readonly first: bigint;
  readonly stoppedAt: Instant;
}

export interface PartitionState extends PartitionName {
  readonly next: bigint;
  readonly epoch: bigint;
  readonly owner: string | null;
  readonly stop: Pick<PartitionStop, 'first' | 'stoppedAt'> | null;
}

export interface SkipRequest extends PartitionName {
  readonly author: string;
  readonly reason: string;
}

export type SkipOutcome =
  | { readonly status: 'skipped'; readonly from: bigint; readonly to: bigint }
  | { readonly status: 'not_stopped' };

/** Partitions of usage.metered, and those that stand still because messages were lost. */
export abstract class PartitionStore {
  abstract list(tx: Tx): Promise<readonly PartitionState[]>;
  /** @returns whether it was not noted before */
  abstract stop(tx: Tx, stop: PartitionStop): Promise<boolean>;
  abstract tenants(tx: Tx): Promise<readonly string[]>;
  abstract clear(tx: Tx, name: PartitionName): Promise<void>;
  /** Moves a stopped partition to the first offset that exists, and keeps who did it and why. */
  abstract skip(tx: Tx, request: SkipRequest, id: string, now: Instant): Promise<SkipOutcome>;
}

@Injectable()
export class UsagePartitions {
  constructor(
    private readonly database: Database,
    private readonly store: PartitionStore,
    private readonly ids: Ids,
  ) {}

  list(): Promise<readonly PartitionState[]> {
    return this.database.asWorker((tx) => this.store.list(tx));
  }

  /** What was lost stays lost, unless its sources send it again: the same identities count once. */
  skip(request: SkipRequest, now: Instant): Promise<SkipOutcome> {
    return this.database.asWorker((tx) => this.store.skip(tx, request, this.ids.next(), now));
  }
}
