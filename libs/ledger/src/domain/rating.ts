import type { Catalog, Feature, MeterReading, PlanFeature, Price } from '@tallygate/contracts';
import { invariant, maxNano, minNano, parseAmount } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Counter } from './counter';
import { gaugeOf, takeReading, valueWith } from './period-value';
import type { Gauge } from './period-value';
import { awaits, priceOf, readPriceRow, rowInForce, runsOverPeriod } from './price';
import type { PriceRow } from './price';
import { capsOf } from './spend-cap';
import type { SpendCap } from './spend-cap';
import type { SubscriptionTerms } from './subscription';

/** A catalog read once per revision, for look-ups by key. */
export interface RatingBook {
  readonly revision: number;
  readonly features: ReadonlyMap<string, Feature>;
  readonly prices: ReadonlyMap<string, readonly PriceRow[]>;
  /** Rows that billing announced and did not state yet, by price: what they would price waits. */
  readonly announced: ReadonlyMap<string, readonly PriceRow[]>;
  /** Meters whose value is not the sum of their events. */
  readonly gauges: ReadonlyMap<string, Gauge>;
}

export function ratingBook(revision: number, catalog: Catalog): RatingBook {
  const prices = rowsByKey(catalog.prices);
  const features = new Map(catalog.features.map((feature) => [feature.key, feature]));
  return { revision, features, prices, announced: NOTHING_ANNOUNCED, gauges: gaugesOf(catalog) };
}

const NOTHING_ANNOUNCED: RatingBook['announced'] = new Map();

/** The book while rows are announced. */
export function withAnnounced(book: RatingBook, rows: readonly Price[]): RatingBook {
  return rows.length === 0 ? book : { ...book, announced: rowsByKey(rows) };
}

function rowsByKey(rows: readonly Price[]): ReadonlyMap<string, readonly PriceRow[]> {
  const byKey = new Map<string, PriceRow[]>();
  for (const row of rows) byKey.set(row.key, [...(byKey.get(row.key) ?? []), readPriceRow(row)]);
  return byKey;
}

function gaugesOf({ meters }: Catalog): ReadonlyMap<string, Gauge> {
  const gauges = new Map<string, Gauge>();
  for (const { key, aggregation } of meters) {
    const gauge = gaugeOf(aggregation);
    if (gauge !== null) gauges.set(key, gauge);
  }
  return gauges;
}

/** Finds or starts the counter of a feature in the period that holds the event. */
export interface PeriodCounters {
  quota(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant): Counter;
  tier(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant, row: PriceRow): Counter;
  /** The value of a prepaid feature's meter. */
  value(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant): Counter;
  /** What the feature debited in the period of a spend cap. */
  spend(feature: string, cap: SpendCap, terms: SubscriptionTerms, at: Instant, unit: string): Counter;
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
  /** Null: the meter adds up. */
  readonly gauge: Gauge | null;
  /** What a unique count counts. */
  readonly value: string | null;
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
  const row = feature.price === undefined ? null : priceRowAt(book, feature.price, at, reading.group);
  const gauge = book.gauges.get(reading.meter) ?? null;
  return {
    feature,
    plan,
    terms,
    row,
    quantity: quantityOf(reading),
    at,
    gauge,
    value: reading.value ?? null,
  };
}

function priceRowAt(
  book: RatingBook,
  price: string,
  at: Instant,
  group: MeterReading['group'],
): PriceRow | null {
  if (awaits(book.announced.get(price) ?? NO_ROWS, at, group)) return null;
  return rowInForce(book.prices.get(price) ?? NO_ROWS, at, group);
}

const NO_ROWS: readonly PriceRow[] = [];

/**
 * Rates a reading and moves the period's counters. Included units go first, also inside one event; the rest is priced
 * by the row in force at the event's own time.
 */
export function rate(item: Ratable, counters: PeriodCounters): Rated {
  if (item.gauge !== null) return rateRise(item, item.gauge, counters);
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

/**
 * A meter that does not add up: each rise of the period's value, from 0, is what the feature used; a fall gives nothing
 * back. A rise without a price leaves the value as it was, so that it is still one when a price appears.
 */
function rateRise(item: Ratable, gauge: Gauge, counters: PeriodCounters): Rated {
  const { feature, plan, terms, at } = item;
  const prepaid = feature.kind === 'prepaid';
  const counter = counters[prepaid ? 'value' : 'quota'](feature.key, plan, terms, at);
  const rise = maxNano(valueWith(counter, gauge, item) - counter.used, 0n);
  const left = prepaid ? 0n : maxNano(counter.included - counter.used, 0n);
  const included = feature.kind === 'quota' ? rise : minNano(left, rise);
  const rated: Rated =
    included === rise ? { kind: 'counted', included } : charge(item, counters, rise - included, included);
  if (rated.kind !== 'parked') takeReading(counter, gauge, item);
  return rated;
}

function charge(item: Ratable, counters: PeriodCounters, quantity: Nano, included: Nano): Rated {
  const { row, feature, terms, at } = item;
  if (row === null) return { kind: 'parked' };
  const { unit } = row;
  const amount = runsOverPeriod(row)
    ? chargeOverPeriod(item, row, counters, quantity)
    : priceOf(row, quantity, 0n);
  for (const cap of capsOf(terms, feature.key))
    counters.spend(feature.key, cap, terms, at, unit).used += amount;
  return { kind: 'charged', unit, amount, included };
}

function chargeOverPeriod(item: Ratable, row: PriceRow, counters: PeriodCounters, quantity: Nano): Nano {
  const counter = counters.tier(item.feature.key, item.plan, item.terms, item.at, row);
  const amount = priceOf(row, quantity, counter.used);
  counter.used += quantity;
  return amount;
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
  if (plan.included === undefined) return 0n;
  return quantityOf({ meter: '', quantity: plan.included, group: {}, features: [] });
}
