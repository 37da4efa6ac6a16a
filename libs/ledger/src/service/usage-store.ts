import type { MeteredEvent } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { ParkedCharge, SliceFacts, UsageRow } from '../domain';
import type { StoredParked } from './rating-facts';

/** Where a slice stands in its partition, and who holds the partition. */
export interface SlicePosition {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the slice's first message. */
  readonly first: bigint;
  /** Offset after its last one. */
  readonly next: bigint;
  /** Under which the partition was taken over. */
  readonly epoch: bigint;
  /** Where the log ended when the slice was read; absent where nobody knows. */
  readonly end?: bigint;
}

/** A partition as its owner takes it over. */
export interface Tenure {
  readonly epoch: bigint;
  /** The offset to go on from; null when nothing was ever taken. */
  readonly next: bigint | null;
}

/** Partitions of the usage record by arrival. */
export interface Generations {
  /** Takes new events. */
  readonly current: number;
  /** May hold what comes again. */
  readonly recent: readonly number[];
}

export interface Identified {
  readonly event: MeteredEvent;
  /** `usageIdentity` of the event. */
  readonly identity: string;
}

/** What a parked charge came to. */
export interface LateCharge {
  readonly parked: StoredParked;
  readonly row: UsageRow;
  /** Null: included units covered it. */
  readonly walletId: bigint | null;
}

/** Events, their identities, and how far each partition was taken. */
export abstract class UsageStore {
  abstract identify(events: readonly MeteredEvent[]): readonly Identified[];
  /** Takes the partition for this owner; whoever held it before fails its next slice. */
  abstract takeOver(tx: Tx, topic: string, partition: number, owner: string): Promise<Tenure>;
  /**
   * Locks the partitions' rows. Fenced: its epoch is another one.
   * @returns the stored offset of each, −1: nothing was taken
   */
  abstract claim(tx: Tx, positions: readonly SlicePosition[]): Promise<readonly (bigint | 'fenced')[]>;
  abstract advance(tx: Tx, positions: readonly SlicePosition[]): Promise<void>;
  /** Where new events go until this transaction ends, and where known ones may be. */
  abstract generations(tx: Tx): Promise<Generations>;
  /** Payload hashes of the identities that are stored already in one of these generations; default: all open ones. */
  abstract known(
    tx: Tx,
    identities: readonly string[],
    generations?: readonly number[],
  ): Promise<ReadonlyMap<string, string>>;
  /** What rating needs to know of the events' tenants and customers. */
  abstract facts(tx: Tx, events: readonly MeteredEvent[]): Promise<SliceFacts>;
  /** A worker's transaction around a slice; `stored_before` when an identity was stored already: all is rolled back. */
  abstract inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T | 'stored_before'>;
  /** Stores the rows of new events, in the events' order, charged to these wallets. @returns the slice's id */
  abstract insert(
    tx: Tx,
    rows: readonly UsageRow[],
    events: readonly Identified[],
    walletOf: (row: UsageRow) => bigint | null,
    generation: number,
  ): Promise<bigint>;
  /** Records charges of events that are stored already. @returns the id of the slice whose journal rows hold them */
  abstract charge(tx: Tx, charged: readonly LateCharge[]): Promise<bigint>;
  abstract park(tx: Tx, parked: readonly ParkedCharge[], nowOf: (tenantId: string) => Instant): Promise<void>;
}
