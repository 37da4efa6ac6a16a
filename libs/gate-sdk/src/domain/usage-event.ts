import { formatInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

/** A CloudEvent 1.0 as ingestion takes it. */
export interface UsageEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event on its way, with the tenant whose usage it is. */
export interface ReportedUsage {
  readonly tenantId: string;
  readonly event: UsageEvent;
}

export interface UsageOf {
  /** The gate. */
  readonly source: string;
  /** The request's: the same request reported twice is counted once. */
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly at: Instant;
  readonly data: Readonly<Record<string, unknown>>;
}

export function usageEvent({ source, id, type, subject, at, data }: UsageOf): UsageEvent {
  const time = formatInstant(at);
  return { specversion: '1.0', id, source, type, subject, time, datacontenttype: 'application/json', data };
}
