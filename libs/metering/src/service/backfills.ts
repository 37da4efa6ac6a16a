import type { Instant } from '@tallygate/kernel';
import type { Actor, AuditEntry } from './audit-log';

/** Usage of a past period that is brought in as one operation, older than the dedup window or not. */
export interface Backfill extends Actor {
  readonly tenantId: string;
  readonly id: string;
  /** Events of [from, to). */
  readonly from: Instant;
  readonly to: Instant;
  readonly reason: string;
  readonly status: 'open' | 'closed';
  readonly openedAt: Instant;
  readonly closedAt: Instant | null;
  readonly counts: BackfillCounts;
}

/** How its events were answered. */
export interface BackfillCounts {
  readonly accepted: number;
  readonly duplicates: number;
  readonly parked: number;
  readonly refused: number;
}

export abstract class BackfillStore {
  /** With its entry in the audit log. */
  abstract open(backfill: Backfill, audit: AuditEntry): Promise<void>;
  abstract find(tenantId: string, id: string): Promise<Backfill | null>;
  /** Newest first. */
  abstract list(tenantId: string, limit: number): Promise<readonly Backfill[]>;
  /** @returns false when it is closed */
  abstract count(tenantId: string, id: string, more: BackfillCounts): Promise<boolean>;
  /** Closes an open one, with its entry in the audit log. @returns false when it was closed before */
  abstract close(tenantId: string, id: string, at: Instant, audit: AuditEntry): Promise<boolean>;
}
