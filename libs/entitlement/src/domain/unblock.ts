import type { Instant, Nano } from '@tallygate/kernel';
import { standingOf } from './account';
import { segmentAt } from './credit';
import type { CustomerState, Segment } from './state';

/**
 * Whether a change opens something that was shut: then it overtakes changes that only shut (gate-feed.md "Priority"). A
 * customer not known before is one.
 */
export function unblocks(before: CustomerState | undefined, after: CustomerState, now: Instant): boolean {
  if (before === undefined) return true;
  const was = standingOf(before, now);
  const is = standingOf(after, now);
  if (is.overridden && !was.overridden) return true;
  if (shut(was) && !shut(is)) return true;
  return creditReturned(before, after, now) || quotaReturned(before, after);
}

function shut(standing: ReturnType<typeof standingOf>): boolean {
  return standing.administrative !== null || standing.money !== null;
}

function creditReturned(before: CustomerState, after: CustomerState, now: Instant): boolean {
  for (const [unit, segments] of after.wallets) {
    if (most(segments, now) > 0n && most(before.wallets.get(unit) ?? [], now) <= 0n) return true;
  }
  return false;
}

/** The most that any feature may draw on. */
function most(segments: readonly Segment[], now: Instant): Nano {
  const segment = segmentAt(segments, now);
  if (segment === undefined) return 0n;
  let highest = segment.available;
  for (const [, available] of segment.byFeature ?? []) if (available > highest) highest = available;
  return highest;
}

function quotaReturned(before: CustomerState, after: CustomerState): boolean {
  for (const [feature, quota] of after.quotas) {
    const known = before.quotas.get(feature);
    if (known !== undefined && quota.used < known.used) return true;
  }
  return false;
}
