import type { Instant, Nano } from '@tallygate/kernel';
import type { Counter } from './counter';
import { standingAt } from './segments';
import type { Wallet } from './wallet';

/** What is left of a wallet, quota or spend cap, in its own unit; of a wallet for features with credit of their own too. */
export interface Margin {
  /** Margins of different scopes (periods, sets of features) are not compared. */
  readonly scope: string;
  readonly left: readonly Nano[];
}

/** A fiftieth of what was said to be left may come or go before it is said again without delay. */
const SHARE = 50n;

export function marginOf(wallet: Wallet, at: Instant): Margin {
  const { available, byFeature } = standingAt(wallet, at);
  const features = [...byFeature].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    scope: JSON.stringify(features.map(([feature]) => feature)),
    left: [available, ...features.map(([, amount]) => amount)],
  };
}

export function marginOfCounter({ periodStart, included, used }: Counter): Margin {
  return { scope: String(periodStart), left: [included - used] };
}

/** Whether who was told the one would decide or warn noticeably late without the other. */
export function isNews(told: Margin, now: Margin): boolean {
  if (told.scope !== now.scope) return true;
  return now.left.some((left, i) => {
    const before = told.left[i] ?? 0n;
    return magnitude(left - before) * SHARE > magnitude(before);
  });
}

/** What was told, when credit moved by so much since: of each part as if all of it had been moved there. */
export function marginBefore({ scope, left }: Margin, moved: Nano): Margin {
  return { scope, left: left.map((amount) => amount - moved) };
}

function magnitude(amount: Nano): bigint {
  return amount < 0n ? -amount : amount;
}
