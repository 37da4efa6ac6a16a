import type { Price } from '@tallygate/contracts';
import type { Instant, Nano } from '@tallygate/kernel';
import {
  divideHalfEven,
  invariant,
  NANO,
  multiplyHalfEven,
  parseAmount,
  parseInstant,
} from '@tallygate/kernel';

/** A catalog's price row with its numbers read. */
export interface PriceRow {
  readonly key: string;
  readonly unit: string;
  readonly model: Price['model'];
  readonly amount: Nano;
  readonly packageSize: Nano;
  readonly tiers: readonly Tier[];
  readonly match: readonly (readonly [string, string])[];
  /** The match as text, unambiguous: rows of one price with equal texts succeed each other in time. */
  readonly matchText: string;
  /** In force from here; the smallest instant for a row without `from`. */
  readonly from: number;
}

/** Covers running totals in (above, upTo]; upTo null: no end. */
export interface Tier {
  readonly above: Nano;
  readonly upTo: Nano | null;
  readonly amount: Nano;
  readonly flat: Nano;
}

export function readPriceRow(price: Price): PriceRow {
  const match = Object.entries(price.match).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    key: price.key,
    unit: price.unit,
    model: price.model,
    amount: amountOf(price.amount),
    packageSize: price.package_size === undefined ? NANO : amountOf(price.package_size),
    tiers: readTiers(price),
    match,
    matchText: JSON.stringify(match),
    from: price.from === undefined ? Number.MIN_SAFE_INTEGER : instantOf(price.from),
  };
}

function readTiers(price: Price): Tier[] {
  let above = 0n;
  return (price.tiers ?? []).map((tier) => {
    const upTo = tier.up_to === undefined ? null : amountOf(tier.up_to);
    const read = { above, upTo, amount: amountOf(tier.amount), flat: amountOf(tier.flat) };
    above = upTo ?? above;
    return read;
  });
}

/** The catalog was checked when it was applied; a text that does not parse here is a bug. */
function amountOf(text: string | undefined): Nano {
  if (text === undefined) return 0n;
  const parsed = parseAmount(text);
  invariant(parsed.ok, 'A price of an applied catalog is a decimal');
  return parsed.value;
}

function instantOf(text: string): Instant {
  const parsed = parseInstant(text);
  invariant(parsed.ok, 'A price of an applied catalog starts at an instant');
  return parsed.value;
}

/**
 * semantics §4: per match the latest row not after the event; of several that match, the one with the most groups.
 * @returns null when no row matches: the usage is parked
 */
export function rowInForce(
  rows: readonly PriceRow[],
  at: Instant,
  group: Readonly<Record<string, string>>,
): PriceRow | null {
  let best: PriceRow | null = null;
  for (const row of rows) {
    if (row.from > at || !row.match.every(([key, value]) => group[key] === value)) continue;
    if (best === null || row.match.length > best.match.length || succeeds(row, best)) best = row;
  }
  return best;
}

/** A new row, and until when it is the latest of its match. */
export interface NewRow {
  readonly row: PriceRow;
  /** Null: no later row succeeds it. */
  readonly until: Instant | null;
}

/** @param rows of the same price, the new one among them */
export function newRow(row: PriceRow, rows: readonly PriceRow[]): NewRow {
  let until: Instant | null = null;
  for (const { matchText, from } of rows)
    if (matchText === row.matchText && from > row.from && (until === null || from < until))
      until = from as Instant;
  return { row, until };
}

/** Whether usage of that time and group waits for one of these rows to be in force. */
export function awaits(
  rows: readonly PriceRow[],
  at: Instant,
  group: Readonly<Record<string, string>>,
): boolean {
  return rows.length > 0 && rowInForce(rows, at, group) !== null;
}

/** Of one match the later row; of two matches of one size always the same one. */
function succeeds(row: PriceRow, other: PriceRow): boolean {
  if (row.match.length !== other.match.length) return false;
  if (row.matchText === other.matchText) return row.from >= other.from;
  return row.matchText < other.matchText;
}

/** Whether an event's price depends on what its period counted before. */
export function runsOverPeriod(row: PriceRow): boolean {
  return row.model === 'package' || row.model === 'graduated' || row.model === 'volume';
}

/**
 * What an event costs, rounded half-even to 10⁻⁹ once.
 * @param before the period's running total without this event; 0 where the model does not ask
 */
export function priceOf(row: PriceRow, quantity: Nano, before: Nano): Nano {
  switch (row.model) {
    case 'per_unit':
      return multiplyHalfEven(quantity, row.amount);
    case 'flat':
      return row.amount;
    case 'package':
      return (packages(row, before + quantity) - packages(row, before)) * row.amount;
    case 'graduated':
      return graduated(row.tiers, before, before + quantity);
    case 'volume':
      return volume(row.tiers, before, before + quantity);
  }
}

function packages({ packageSize }: PriceRow, total: Nano): bigint {
  return (total + packageSize - 1n) / packageSize;
}

/** Splits the event at the boundaries; a tier's flat is added when the total enters it. */
function graduated(tiers: readonly Tier[], before: Nano, after: Nano): Nano {
  let product = 0n;
  let flats = 0n;
  for (const tier of tiers) {
    const from = before > tier.above ? before : tier.above;
    const to = tier.upTo !== null && tier.upTo < after ? tier.upTo : after;
    if (to > from) product += (to - from) * tier.amount;
    if (enters(tier, before, after)) flats += tier.flat;
  }
  return divideHalfEven(product, NANO) + flats;
}

/** The whole event at the tier that the total, this event included, has reached. */
function volume(tiers: readonly Tier[], before: Nano, after: Nano): Nano {
  const reached = tiers.find((tier) => tier.upTo === null || after <= tier.upTo) ?? tiers.at(-1);
  if (reached === undefined) return 0n;
  return (
    multiplyHalfEven(after - before, reached.amount) + (enters(reached, before, after) ? reached.flat : 0n)
  );
}

/** The total passes the tier's lower bound with this event. */
function enters(tier: Tier, before: Nano, after: Nano): boolean {
  return before <= tier.above && after > tier.above;
}
