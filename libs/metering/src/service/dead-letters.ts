import type { Instant } from '@tallygate/kernel';
import type { Fault } from '../domain/fault';
import type { AuditEntry } from './audit-log';

export const DEAD_LETTER_CODES = [
  'not_utf8',
  'not_json',
  'too_large',
  'tenant_missing',
  'invalid_event',
  'identity_conflict',
  'event_unknown',
] as const;
export type DeadLetterCode = (typeof DEAD_LETTER_CODES)[number];

export type DeadLetterStatus = 'open' | 'replayed' | 'discarded';

/** Whose letters nobody can tell: messages that named no tenant. For the operator of the installation. */
export const NO_TENANT = '00000000-0000-0000-0000-000000000000';

/** Usage that could not be taken and that nobody waited for an answer about. */
export interface NewDeadLetter {
  readonly tenantId: string;
  /** Where it came from, unique: the same message read again writes its letter once. */
  readonly origin: string;
  readonly code: DeadLetterCode;
  readonly faults: readonly Fault[];
  /** Of the event, as far as they could be read. */
  readonly source: string | null;
  readonly eventId: string | null;
  /** The bytes as they came. */
  readonly payload: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly receivedAt: Instant;
}

export interface DeadLetter extends NewDeadLetter {
  readonly id: string;
  readonly status: DeadLetterStatus;
  /** The event as somebody mended it; null where nobody did. */
  readonly mended: unknown;
}

export abstract class DeadLetterStore {
  /** Durable when it resolves. @returns how many were new */
  abstract add(letters: readonly NewDeadLetter[]): Promise<number>;
  /** Oldest first, after the letter `after`. */
  abstract list(
    tenantId: string,
    status: DeadLetterStatus,
    limit: number,
    after: string | null,
  ): Promise<readonly DeadLetter[]>;
  abstract find(tenantId: string, id: string): Promise<DeadLetter | null>;
  /** Keeps a mended event with an open letter, and says so in the audit log. @returns false when it is closed */
  abstract edit(tenantId: string, id: string, event: unknown, audit: AuditEntry): Promise<boolean>;
  /** Closes an open letter, and says so in the audit log. @returns false when it was closed before */
  abstract close(
    tenantId: string,
    id: string,
    status: 'replayed' | 'discarded',
    audit: AuditEntry,
  ): Promise<boolean>;
}
