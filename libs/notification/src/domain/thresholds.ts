import type { BalanceSegment } from '@tallygate/contracts';
import { type Instant, type Nano, NANO, formatAmount, invariant } from '@tallygate/kernel';
import { instantOf } from './reminders';
import type { Threshold, ThresholdRule } from './rules';

const HUNDRED = 100n * NANO;

/** The highest threshold announced in a period, in percent and in units; null for none. */
export interface Announced {
  readonly percent: Nano | null;
  readonly units: Nano | null;
}

/** What is said of a feature's use, and what counts as announced from then on. */
export interface UsageVerdict {
  readonly crossed: (Threshold & { readonly percent: boolean }) | null;
  readonly announced: Announced;
}

/**
 * The most severe usage threshold that was reached and is above what was announced in this period, over all rules of
 * the feature: several crossed at once make one. Reached counts as crossed: 80 % means 80 % or more.
 */
export function usageCrossed(
  rules: readonly ThresholdRule[],
  used: Nano,
  included: Nano,
  announced: Announced,
): UsageVerdict {
  const byPercent = highest(rules, true, percentOf(used, included), announced.percent);
  const byUnits = highest(rules, false, used, announced.units);
  const percentFirst = byPercent && (!byUnits || byPercent.at * included >= byUnits.at * HUNDRED);
  return {
    crossed: percentFirst ? { ...byPercent, percent: true } : byUnits && { ...byUnits, percent: false },
    announced: { percent: byPercent?.at ?? announced.percent, units: byUnits?.at ?? announced.units },
  };
}

function percentOf(used: Nano, included: Nano): Nano {
  if (included === 0n) return used > 0n ? HUNDRED : 0n;
  return (used * HUNDRED) / included;
}

function highest(
  rules: readonly ThresholdRule[],
  percent: boolean,
  reached: Nano,
  announced: Nano | null,
): Threshold | null {
  const news = rules
    .filter((rule) => rule.percent === percent)
    .flatMap((rule) => [...rule.thresholds, ...stepBeyond(rule, reached)])
    .filter(({ at }) => reached >= at && (announced === null || at > announced));
  return news.reduce<Threshold | null>((most, one) => (most === null || one.at > most.at ? one : most), null);
}

/** The last of a rule's steps beyond its highest threshold. */
function stepBeyond({ thresholds, recurring }: ThresholdRule, reached: Nano): readonly Threshold[] {
  if (recurring === null || recurring <= 0n || thresholds.length === 0) return [];
  const last = thresholds.reduce((most, { at }) => (at > most ? at : most), thresholds[0]!.at);
  if (reached < last + recurring) return [];
  const at = last + ((reached - last) / recurring) * recurring;
  return [{ text: formatAmount(at), at }];
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
  const fresh = low.filter(({ text }) => !fired.includes(text));
  const lowest = fresh.reduce<Threshold | null>(
    (least, one) => (least && least.at <= one.at ? least : one),
    null,
  );
  return { crossed: lowest, fired: low.map(({ text }) => text) };
}

/** The segment in force at an instant, and when the next one begins; null for never. */
export function segmentsAt(
  segments: readonly BalanceSegment[],
  now: Instant,
): { readonly present: BalanceSegment; readonly changesAt: Instant | null } {
  const [first, ...later] = segments;
  invariant(first, 'A balance has a segment');
  const next = later.findIndex(({ from }) => instantOf(from) > now);
  const present = next === -1 ? (later.at(-1) ?? first) : next === 0 ? first : later[next - 1]!;
  return { present, changesAt: next === -1 ? null : instantOf(later[next]!.from) };
}
