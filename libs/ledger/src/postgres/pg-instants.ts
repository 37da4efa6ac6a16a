import type { Instant } from '@tallygate/kernel';
import { instantFromPg } from '@tallygate/platform';

/** Rows of one slice share most of their instants (starts of lots, of subscriptions, of periods): read once each. */
const READ = new Map<string, Instant>();
const MOST_READ = 5_000;

export function sharedInstant(text: string): Instant {
  let value = READ.get(text);
  if (value === undefined) {
    value = instantFromPg(text);
    if (READ.size >= MOST_READ) READ.clear();
    READ.set(text, value);
  }
  return value;
}

export function sharedInstantOrNull(text: string | null): Instant | null {
  return text === null ? null : sharedInstant(text);
}
