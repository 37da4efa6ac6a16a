import type { BalanceFacts, BalanceSegment } from '@tallygate/contracts';
import { formatAmount, formatInstant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { repayAll } from './burn';
import { endOf, isClosed } from './lot';
import type { Lot } from './lot';
import { debtOf, draftOf, freeCredit, heldOf } from './wallet';
import type { Wallet } from './wallet';

/** What a wallet has at an instant, as far as its present lots tell. */
export interface Standing {
  /** Of unrestricted lots, less all debt. */
  readonly available: Nano;
  readonly held: Nano;
  /** For features with lots or debt of their own. */
  readonly byFeature: ReadonlyMap<string, Nano>;
  readonly expired: boolean;
}

/** @param at now, or an instant after it */
export function standingAt(wallet: Wallet, at: Instant): Standing {
  const byFeature = new Map<string, Nano>();
  for (const feature of featuresOf(wallet)) {
    byFeature.set(feature, freeCredit(wallet, at, feature) - debtOf(wallet, feature));
  }
  return {
    available: freeCredit(wallet, at, null) - debtOf(wallet),
    held: heldOf(wallet),
    byFeature,
    expired: endedByExpiry(wallet, at),
  };
}

function featuresOf(wallet: Wallet): Set<string> {
  const features = new Set<string>();
  for (const lot of wallet.lots) for (const feature of lot.features ?? []) features.add(feature);
  for (const debt of wallet.debts)
    if (debt.feature !== null && debt.total > debt.repaid) features.add(debt.feature);
  return features;
}

/** True when the last credit ended by expiry with something left, and none came or was used since, at that instant included. */
function endedByExpiry(wallet: Wallet, at: Instant): boolean {
  let ended: number = wallet.lastExpiryAt ?? Number.MIN_SAFE_INTEGER;
  let seen: number = wallet.lastCreditAt ?? Number.MIN_SAFE_INTEGER;
  for (const lot of wallet.lots) {
    if (isClosed(lot) || lot.remaining === 0n || lot.effectiveAt > at) continue;
    if (endOf(lot) > at) return false;
    if (endOf(lot) > ended) ended = endOf(lot);
    if (lot.effectiveAt > seen) seen = lot.effectiveAt;
  }
  return ended > Number.MIN_SAFE_INTEGER && ended > seen;
}

/**
 * The wallet from now on if nothing else happens: one segment per instant at which a lot starts or ends. Debt is repaid
 * by what starts, as it will be.
 */
export function segmentsOf(wallet: Wallet, now: Instant): BalanceSegment[] {
  const ahead = copyOf(wallet);
  const segments: BalanceSegment[] = [];
  for (const at of boundariesOf(wallet, now)) {
    if (ahead.debts.length > 0)
      repayAll(
        draftOf(ahead, at, () => ''),
        at,
      );
    segments.push(segmentOf(standingAt(ahead, at), at));
  }
  return segments;
}

export function balanceFactsOf(wallet: Wallet, now: Instant, revision: number): BalanceFacts {
  return {
    customerId: wallet.customerId,
    unit: wallet.unit,
    version: revision,
    debt: formatAmount(debtOf(wallet)),
    segments: segmentsOf(wallet, now),
  };
}

function boundariesOf(wallet: Wallet, now: Instant): Instant[] {
  const instants = new Set<Instant>([now]);
  for (const lot of wallet.lots) {
    if (isClosed(lot) || lot.remaining === 0n) continue;
    if (lot.effectiveAt > now) instants.add(lot.effectiveAt);
    if (lot.expiresAt !== null && lot.expiresAt > now) instants.add(lot.expiresAt);
  }
  return [...instants].sort((a, b) => a - b);
}

function segmentOf(standing: Standing, from: Instant): BalanceSegment {
  const byFeature: Record<string, string> = {};
  for (const [feature, amount] of standing.byFeature) byFeature[feature] = formatAmount(amount);
  return {
    from: formatInstant(from),
    available: formatAmount(standing.available),
    held: formatAmount(standing.held),
    byFeature,
    expired: standing.expired,
  };
}

/** Lots and debts of its own: looking ahead changes nothing. */
function copyOf(wallet: Wallet): Wallet {
  return {
    ...wallet,
    lots: wallet.lots.map((lot): Lot => ({ ...lot })),
    debts: wallet.debts.map((debt) => ({ ...debt })),
  };
}

/**
 * What a gate would decide differently: on which side of nothing, and of its floor, the wallet and its features stand,
 * and by what the credit ended. A change of this text is published at once, other changes are gathered.
 */
export function flipStateOf(wallet: Wallet, at: Instant): string {
  if (wallet.debts.length === 0 && wallet.lots.every((lot) => lot.features === null)) {
    const available = freeCredit(wallet, at, null);
    return available > 0n ? '+' : side(available, wallet.overdraft) + String(endedByExpiry(wallet, at));
  }
  const { available, byFeature, expired } = standingAt(wallet, at);
  const sides = [...byFeature].map(([feature, amount]) => [feature, side(amount, wallet.overdraft)]);
  const general = side(available, wallet.overdraft);
  return JSON.stringify([general, general === '+' ? false : expired, sides.sort()]);
}

function side(amount: Nano, overdraft: Nano): string {
  if (amount > 0n) return '+';
  return amount > -overdraft ? '0' : '-';
}
