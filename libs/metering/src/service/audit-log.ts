import type { Instant } from '@tallygate/kernel';

export const AUDITED = [
  'dead_letter.edited',
  'dead_letter.replayed',
  'dead_letter.discarded',
  'backfill.opened',
  'backfill.closed',
  'correction.sent',
] as const;
export type AuditedAction = (typeof AUDITED)[number];

/** Who acts: the key that a request came with, and whom it says it acts for. */
export interface Actor {
  readonly keyId: string;
  /** Null: nobody was named. */
  readonly author: string | null;
}

/** Something a person did to usage, for whoever asks later. */
export interface AuditEntry extends Actor {
  readonly tenantId: string;
  readonly at: Instant;
  readonly action: AuditedAction;
  /** What it was done to: a letter's or a backfill's id, a corrected event's. */
  readonly subject: string;
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly id: string;
}

/** Written with what it tells about, in one transaction; never changed. */
export abstract class AuditLog {
  abstract add(entry: AuditEntry): Promise<void>;
  /** Newest first, before the entry `before`; of one subject where asked. */
  abstract list(
    tenantId: string,
    filter: { readonly subject: string | null; readonly before: string | null; readonly limit: number },
  ): Promise<readonly StoredAuditEntry[]>;
}
