import type { Catalog, Feature, MeterReading, PlanFeature } from '@tallygate/contracts';
import { invariant, maxNano, minNano, parseAmount } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Counter } from './counter';
import { priceOf, readPriceRow, rowInForce, runsOverPeriod } from './price';
import type { PriceRow } from './price';
import type { SubscriptionTerms } from './subscription';

/** A catalog read once per revision, for look-ups by key. */
export interface RatingBook {
  readonly revision: number;
  readonly features: ReadonlyMap<string, Feature>;
  readonly prices: ReadonlyMap<string, readonly PriceRow[]>;
}

export function ratingBook(revision: number, catalog: Catalog): RatingBook {
  const prices = new Map<string, PriceRow[]>();
  for (const price of catalog.prices) {
    prices.set(price.key, [...(prices.get(price.key) ?? []), readPriceRow(price)]);
  }
  return { revision, features: new Map(catalog.features.map((feature) => [feature.key, feature])), prices };
}

/** Finds or starts the counter of a feature in the period that holds the event. */
export interface PeriodCounters {
  quota(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant): Counter;
  tier(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant, row: PriceRow): Counter;
}

/** One reading as one feature of the customer's plan takes it. */
export interface Ratable {
  readonly feature: Feature;
  readonly plan: PlanFeature;
  readonly terms: SubscriptionTerms;
  /** In force at the event's own time; null: none matches, or the feature has no price. */
  readonly row: PriceRow | null;
  readonly quantity: Nano;
  readonly at: Instant;
}

export type Rated =
  /** Counted towards a quota only, or covered by included units. */
  | { readonly kind: 'counted'; readonly included: Nano }
  | { readonly kind: 'charged'; readonly unit: string; readonly amount: Nano; readonly included: Nano }
  /** No price row matches: kept until one appears. */
  | { readonly kind: 'parked' };

export function ratable(
  book: RatingBook,
  terms: SubscriptionTerms,
  featureKey: string,
  reading: MeterReading,
  at: Instant,
): Ratable | null {
  const feature = book.features.get(featureKey);
  const plan = terms.features[featureKey];
  if (feature === undefined || plan === undefined) return null;
  if (feature.kind === 'boolean' || feature.kind === 'static') return null;
  const rows = feature.price === undefined ? undefined : book.prices.get(feature.price);
  const row = rows === undefined ? null : rowInForce(rows, at, reading.group);
  return { feature, plan, terms, row, quantity: quantityOf(reading), at };
}

/**
 * Rates a reading and moves the period's counters. Included units go first, also inside one event; the rest is priced
 * by the row in force at the event's own time.
 */
export function rate(item: Ratable, counters: PeriodCounters): Rated {
  const { feature, plan, terms, quantity, at } = item;
  if (feature.kind === 'prepaid') return charge(item, counters, quantity, 0n);
  const counter = counters.quota(feature.key, plan, terms, at);
  const included =
    feature.kind === 'quota' ? quantity : minNano(maxNano(counter.included - counter.used, 0n), quantity);
  const rated: Rated =
    included === quantity
      ? { kind: 'counted', included }
      : charge(item, counters, quantity - included, included);
  if (rated.kind !== 'parked') counter.used += quantity;
  return rated;
}

function charge(item: Ratable, counters: PeriodCounters, quantity: Nano, included: Nano): Rated {
  const { row, feature, plan, terms, at } = item;
  if (row === null) return { kind: 'parked' };
  if (!runsOverPeriod(row))
    return { kind: 'charged', unit: row.unit, amount: priceOf(row, quantity, 0n), included };
  const counter = counters.tier(feature.key, plan, terms, at, row);
  const amount = priceOf(row, quantity, counter.used);
  counter.used += quantity;
  return { kind: 'charged', unit: row.unit, amount, included };
}

/** Most quantities repeat ("1", token counts): reading them again costs more than the rest of rating. */
const SEEN = new Map<string, Nano>();
const MOST_SEEN = 10_000;

/** Ingestion checked it; a text that does not parse here is a bug. */
export function quantityOf(reading: MeterReading): Nano {
  const text = reading.quantity ?? '0';
  const seen = SEEN.get(text);
  if (seen !== undefined) return seen;
  const parsed = parseAmount(text);
  invariant(parsed.ok && parsed.value >= 0n, 'A metered quantity is a decimal of at least 0');
  if (SEEN.size < MOST_SEEN) SEEN.set(text, parsed.value);
  return parsed.value;
}

/** What a plan includes of a feature per period. */
export function includedOf(plan: PlanFeature): Nano {
  return plan.included === undefined
    ? 0n
    : quantityOf({ meter: '', quantity: plan.included, group: {}, features: [] });
}
