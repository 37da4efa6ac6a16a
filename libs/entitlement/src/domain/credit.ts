import type { DenialReason } from '@tallygate/contracts';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Segment } from './state';

/** The part of a wallet's future that is in force now. */
export function segmentAt(segments: readonly Segment[], now: Instant): Segment | undefined {
  let inForce = segments[0];
  if (segments.length === 1) return inForce;
  for (const segment of segments) {
    if (segment.from > now) break;
    inForce = segment;
  }
  return inForce;
}

/** What a feature may draw on, less its own debt. */
export function availableTo(segment: Segment, feature: string): Nano {
  return segment.byFeature?.get(feature) ?? segment.available;
}

export interface CreditNeed {
  readonly feature: string;
  readonly need: Nano;
  /** What the same request already needs from this wallet for features named before. */
  readonly before: Nano;
  readonly overdraft: Nano;
}

export type CreditVerdict =
  | { readonly kind: 'covered' }
  /** Passes, but below zero. */
  | { readonly kind: 'overdraft' }
  /** `held`: releasing every open hold would make it pass. */
  | { readonly kind: 'short'; readonly reason: DenialReason; readonly held: boolean };

/** Whether a wallet covers a request's need; a need of nothing is always covered. */
export function creditVerdict(segment: Segment | undefined, asked: CreditNeed): CreditVerdict {
  if (asked.need <= 0n) return { kind: 'covered' };
  const available = (segment === undefined ? 0n : availableTo(segment, asked.feature)) - asked.before;
  const wallet = (segment?.available ?? 0n) - asked.before;
  if (available >= asked.need) return { kind: 'covered' };
  if (withinFloor(available, wallet, asked)) return { kind: 'overdraft' };
  const held = segment?.held ?? 0n;
  return {
    kind: 'short',
    reason: shortReason(available, segment?.expired ?? false),
    held: held > 0n && withinFloor(available + held, wallet + held, asked),
  };
}

/** The floor is the wallet's: debt that other features made counts against it too. */
function withinFloor(available: Nano, wallet: Nano, { need, overdraft }: CreditNeed): boolean {
  const shortfall = available > 0n ? need - available : need;
  const owed = available < wallet ? -available : -wallet;
  const debt = owed > 0n ? owed : 0n;
  return shortfall <= 0n || shortfall + debt <= overdraft;
}

function shortReason(available: Nano, expired: boolean): DenialReason {
  if (available > 0n) return 'credit_insufficient';
  return expired ? 'credit_expired' : 'credit_exhausted';
}
