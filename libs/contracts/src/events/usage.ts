/** What one meter read from one event. */
export interface MeterReading {
  readonly meter: string;
  /** Decimal text; "1" for count; absent for unique_count. */
  readonly quantity?: string;
  /** The value's text, for unique_count. */
  readonly value?: string;
  readonly group: Readonly<Record<string, string>>;
  /** Catalog features whose meter this is and whose own filter the event matches. */
  readonly features: readonly string[];
}

/** The type of a CloudEvent that corrects usage: its data name the event and say what is wrong with it. */
export const CORRECTION_TYPE = 'tallygate.correction';

/** Which event a correction is about, and what becomes of it. */
export interface CorrectedUsage {
  readonly source: string;
  readonly id: string;
  /** `reversal`: it never happened. `amendment`: the correction's readings are what it should have been. */
  readonly kind: 'reversal' | 'amendment';
}

/**
 * One usage event of a known customer, validated and metered. Identity: (tenantId, source, id). Times are integer
 * microseconds since 1970 UTC.
 */
export interface MeteredEvent {
  readonly tenantId: string;
  readonly customerId: string;
  readonly subject: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  /** The event's own time: decides price, period and grants. */
  readonly occurredAt: number;
  readonly receivedAt: number;
  /** First 128 bits of SHA-256 over type, subject, time and canonical data, hex: tells a repeat from a conflict. */
  readonly payloadHash: string;
  readonly readings: readonly MeterReading[];
  /**
   * Set on a correction: an event of its own identity, time and payload, whose `type` is the corrected event's and whose
   * readings take the place of that event's. It is handed on after the event, in the customer's order.
   */
  readonly corrects?: CorrectedUsage;
}

/** Every key that metered usage may have. */
export const USAGE_LANES: readonly string[] = Array.from({ length: 64 }, (_, lane) => `lane-${lane}`);

/**
 * The lane of a customer's metered usage. All usage of a customer goes to the partition of its lane (one writer per
 * customer), and one message carries the events of many customers: with the customer itself as the key, traffic spread
 * over many customers makes one message per event, and the client costs per message.
 */
export function usageLane(customerId: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < customerId.length; at += 1) {
    hash = Math.imul(hash ^ customerId.charCodeAt(at), 0x01000193);
  }
  return `lane-${(hash >>> 0) % USAGE_LANES.length}`;
}
