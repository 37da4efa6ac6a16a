import type { DeadLetterCode } from './dead-letters';
import type { ParkedCode } from './ports';

export type Via = 'http' | 'kafka' | 'redrive' | 'replay';

/** What happened to usage, for the metrics page. */
export abstract class UsageCounts {
  abstract accepted(via: Via, count: number): void;
  abstract duplicate(count: number): void;
  abstract refused(code: 'invalid_event' | 'identity_conflict', count: number): void;
  abstract parked(code: ParkedCode, count: number): void;
  abstract deadLettered(code: DeadLetterCode, count: number): void;
  /** The ledger could not be asked about identities in time. */
  abstract lookupMissed(): void;
}
