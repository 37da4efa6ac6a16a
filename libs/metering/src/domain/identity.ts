import { canonicalJson } from './json';
import type { UsageEvent } from './usage-event';

/**
 * What makes two events of one identity the same event: type, subject, time as sent, data. Their texts are equal exactly
 * when these are. An event without a time has none here either, so that sending it again later is a repeat.
 * Null for data that nest too deep.
 */
export function payloadText({ type, subject, time, data }: UsageEvent): string | null {
  const canonical = canonicalJson(data);
  return canonical === null
    ? null
    : `${JSON.stringify(type)}${JSON.stringify(subject)}${time ?? ''}${canonical}`;
}
