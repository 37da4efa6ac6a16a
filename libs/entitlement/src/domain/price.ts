import { NANO, multiplyHalfEven } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Money } from './decision';
import type { PriceHistory, PriceRow, PriceTier } from './state';

/**
 * What units cost at an instant. Where it depends on what a request cannot know (the groups of its usage, the period's
 * running total) the answer is the lowest it can be: a decision may then let one request too many pass, and the debit is
 * recorded exactly; it never refuses one that was covered.
 * @param running the period's total before this request, null when not known
 * @returns null when no row is in force
 */
export function priceOf(
  histories: readonly PriceHistory[],
  units: Nano,
  now: Instant,
  running: Nano | null,
  groups?: Readonly<Record<string, string>>,
): Money | null {
  const only = histories[0]?.[0];
  // The usual price: one row, since always.
  if (histories.length === 1 && only !== undefined && only.from <= now) {
    return { amount: costOf(only, units, running), unit: only.unit };
  }
  let lowest: Money | null = null;
  for (const row of rowsInForce(histories, now, groups)) {
    const amount = costOf(row, units, running);
    if (lowest === null || amount < lowest.amount) lowest = { amount, unit: row.unit };
  }
  return lowest;
}

function rowsInForce(
  histories: readonly PriceHistory[],
  now: Instant,
  groups: Readonly<Record<string, string>> | undefined,
): readonly PriceRow[] {
  const rows: PriceRow[] = [];
  for (const history of histories) {
    const row = history.find((candidate) => candidate.from <= now);
    if (row !== undefined) rows.push(row);
  }
  if (groups === undefined || rows.length < 2) return rows;
  return mostSpecific(rows.filter((row) => matches(row, groups)));
}

/** Of several that match, the one with the most groups (semantics §4). */
function mostSpecific(rows: readonly PriceRow[]): readonly PriceRow[] {
  const size = (row: PriceRow): number => Object.keys(row.match).length;
  const most = Math.max(0, ...rows.map(size));
  return rows.filter((row) => size(row) === most);
}

function matches(row: PriceRow, groups: Readonly<Record<string, string>>): boolean {
  return Object.entries(row.match).every(([group, value]) => groups[group] === value);
}

function costOf(row: PriceRow, units: Nano, running: Nano | null): Nano {
  switch (row.model) {
    case 'per_unit':
      return units === NANO ? row.amount : multiplyHalfEven(units, row.amount);
    case 'flat':
      return units === 0n ? 0n : row.amount;
    case 'package':
      return packagesEntered(row.packageSize, units, running) * row.amount;
    case 'graduated':
      return running === null ? cheapestTier(row.tiers, units) : graduated(row.tiers, units, running);
    case 'volume':
      return running === null ? cheapestTier(row.tiers, units) : volume(row.tiers, units, running);
  }
}

/** Packages begun by the units; without a running total those that they fill whole. */
function packagesEntered(size: Nano, units: Nano, running: Nano | null): bigint {
  if (running === null) return units / size;
  return ceilingDivide(running + units, size) - ceilingDivide(running, size);
}

function ceilingDivide(amount: bigint, size: bigint): bigint {
  return (amount + size - 1n) / size;
}

function cheapestTier(tiers: readonly PriceTier[], units: Nano): Nano {
  let lowest: Nano | null = null;
  for (const tier of tiers) if (lowest === null || tier.amount < lowest) lowest = tier.amount;
  return multiplyHalfEven(units, lowest ?? 0n);
}

/** Splits the units at the tiers' ends; a tier's flat is added when it is entered. */
function graduated(tiers: readonly PriceTier[], units: Nano, running: Nano): Nano {
  const end = running + units;
  let numerator = 0n;
  let flats = 0n;
  let floor = 0n;
  for (const tier of tiers) {
    const ceiling = tier.upTo ?? end;
    const from = running > floor ? running : floor;
    const to = end < ceiling ? end : ceiling;
    if (to > from) {
      numerator += (to - from) * tier.amount;
      if (running <= floor) flats += tier.flat;
    }
    floor = ceiling;
  }
  // One rounding for the whole request: the sum over the tiers is exact before it.
  return multiplyHalfEven(1n, numerator) + flats;
}

/** The whole request at the tier that the total, this request included, has reached. */
function volume(tiers: readonly PriceTier[], units: Nano, running: Nano): Nano {
  const reached = tierAt(tiers, running + units);
  if (reached === undefined || units === 0n) return 0n;
  const entered = running === 0n || tierAt(tiers, running) !== reached;
  return multiplyHalfEven(units, reached.amount) + (entered ? reached.flat : 0n);
}

function tierAt(tiers: readonly PriceTier[], total: Nano): PriceTier | undefined {
  return tiers.find((tier) => tier.upTo === null || total <= tier.upTo);
}
