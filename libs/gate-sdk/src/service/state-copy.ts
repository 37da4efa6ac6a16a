import type { WireEntry, WireEntryRef } from '@tallygate/contracts';
import type { FeedEntry } from '@tallygate/decision';
import type { Instant } from '@tallygate/kernel';

/** What a copy was at its last complete moment. */
export interface LoadedCopy {
  readonly entries: readonly FeedEntry[];
  readonly token: string;
  readonly digest: string;
  /** When the feed was last known to be up, by the service's clock. */
  readonly provenAt: Instant;
}

/**
 * The state kept beside the gate, for a start without the service. Writing never fails and never waits: whoever decides
 * must not notice the disk. A copy that could not be written whole is not read.
 */
export abstract class StateCopy {
  /** Null: none, or none that is whole. */
  abstract load(): Promise<LoadedCopy | null>;
  abstract snapshotBegin(): void;
  /** The snapshot broke off; the state before it goes on. */
  abstract abandonSnapshot(): void;
  abstract append(upserts: readonly WireEntry[], removes: readonly WireEntryRef[]): void;
  /** Everything appended so far belongs to this state; of a snapshot, it takes the place of what was before. */
  abstract commit(token: string, digest: string): void;
  /** The feed was up at this instant. */
  abstract proven(at: Instant): void;
  /** Resolves when everything is written. */
  abstract close(): Promise<void>;
}

export class NoStateCopy extends StateCopy {
  override async load(): Promise<null> {
    return null;
  }
  override snapshotBegin(): void {}
  override abandonSnapshot(): void {}
  override append(): void {}
  override commit(): void {}
  override proven(): void {}
  override async close(): Promise<void> {}
}
