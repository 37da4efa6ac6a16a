import { type Nano, NANO, formatAmount } from '@tallygate/kernel';
import type { Threshold, ThresholdRule } from './rules';

const HUNDRED = 100n * NANO;

/**
 * The most severe usage threshold reached that lies above what was announced before in this period; null when there is
 * nothing new to say. Reached counts as crossed: 80 % means 80 % or more.
 * @param announced the highest threshold said so far, in the rule's own terms
 */
export function usageCrossed(
  rule: ThresholdRule,
  used: Nano,
  included: Nano,
  announced: Nano | null,
): Threshold | null {
  const reached = rule.percent ? percentOf(used, included) : used;
  const highest = highestReached(rule, reached);
  return highest !== null && (announced === null || highest.at > announced) ? highest : null;
}

function percentOf(used: Nano, included: Nano): Nano {
  if (included === 0n) return used > 0n ? HUNDRED : 0n;
  return (used * HUNDRED) / included;
}

function highestReached({ thresholds, recurring }: ThresholdRule, reached: Nano): Threshold | null {
  const last = thresholds[thresholds.length - 1];
  if (last && recurring !== null && recurring > 0n && reached >= last.at + recurring) {
    const at = last.at + ((reached - last.at) / recurring) * recurring;
    return { text: formatAmount(at), at };
  }
  return [...thresholds].reverse().find(({ at }) => reached >= at) ?? null;
}

/** What is said of a balance, and which thresholds stay fired until the balance is above them again. */
export interface BalanceVerdict {
  readonly crossed: Threshold | null;
  readonly fired: readonly string[];
}

/** The lowest balance threshold newly reached; several at once make one. A balance of exactly the amount counts as low. */
export function balanceCrossed(
  rules: readonly ThresholdRule[],
  available: Nano,
  fired: readonly string[],
): BalanceVerdict {
  const low = rules.flatMap((rule) => rule.thresholds).filter(({ at }) => available <= at);
  const fresh = low.filter(({ text }) => !fired.includes(text)).sort((a, b) => (a.at < b.at ? -1 : 1));
  return { crossed: fresh[0] ?? null, fired: low.map(({ text }) => text) };
}
