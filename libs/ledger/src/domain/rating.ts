import type { Catalog, Feature, MeterReading, PlanFeature } from '@tallygate/contracts';
import { invariant, maxNano, minNano, parseAmount } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { priceOf, readPriceRow, rowInForce, runsOverPeriod } from './price';
import type { PriceRow } from './price';
import { quotaPeriod, subscriptionPeriod } from './subscription';
import type { QuotaPeriod, SubscriptionTerms } from './subscription';

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

/** What a customer used of a feature in one period: against its quota, or through a tiered price (`scope`: its match). */
export interface Counter {
  readonly tenantId: string;
  readonly customerId: string;
  readonly feature: string;
  readonly kind: 'quota' | 'tier';
  readonly scope: string;
  readonly periodStart: Instant;
  readonly periodEnd: Instant | null;
  readonly limit: PlanFeature['limit'];
  included: Nano;
  used: Nano;
}

/** Finds the counter of a period, or starts it at 0. */
export type CounterOf = (
  feature: string,
  kind: Counter['kind'],
  scope: string,
  period: QuotaPeriod,
  plan: PlanFeature,
) => Counter;

export type Rated =
  /** Counts towards a quota only, or is covered by included units. */
  | { readonly kind: 'counted' }
  | { readonly kind: 'charged'; readonly unit: string; readonly amount: Nano; readonly included: Nano }
  /** No price row matches: kept until one appears. */
  | { readonly kind: 'parked' };

/** The terms one event is rated under. */
export interface RatingScope {
  readonly book: RatingBook;
  readonly terms: SubscriptionTerms;
  readonly counterOf: CounterOf;
}

const COUNTED: Rated = { kind: 'counted' };

/**
 * Rates one reading for one feature of the customer's plan, and moves the period's counters. Included units go first,
 * also inside one event; the rest is priced by the row in force at the event's own time.
 */
export function rate(scope: RatingScope, feature: Feature, plan: PlanFeature, reading: MeterReading, at: Instant): Rated {
  const quantity = quantityOf(reading);
  switch (feature.kind) {
    case 'boolean':
    case 'static':
      return COUNTED;
    case 'quota':
      quotaCounter(scope, feature, plan, at).used += quantity;
      return COUNTED;
    case 'prepaid':
      return charge(scope, feature, plan, reading, quantity, 0n, at);
    case 'quota_then_prepaid':
      return chargeBeyond(scope, feature, plan, reading, quantity, at);
  }
}

function chargeBeyond(
  scope: RatingScope,
  feature: Feature,
  plan: PlanFeature,
  reading: MeterReading,
  quantity: Nano,
  at: Instant,
): Rated {
  const counter = quotaCounter(scope, feature, plan, at);
  const included = minNano(maxNano(counter.included - counter.used, 0n), quantity);
  const rated =
    included === quantity ? COUNTED : charge(scope, feature, plan, reading, quantity - included, included, at);
  if (rated.kind !== 'parked') counter.used += quantity;
  return rated;
}

function charge(
  { book, terms, counterOf }: RatingScope,
  feature: Feature,
  plan: PlanFeature,
  reading: MeterReading,
  quantity: Nano,
  included: Nano,
  at: Instant,
): Rated {
  const row = rowInForce(book.prices.get(feature.price ?? '') ?? [], at, reading.group);
  if (row === null) return { kind: 'parked' };
  if (!runsOverPeriod(row)) return { kind: 'charged', unit: row.unit, amount: priceOf(row, quantity, 0n), included };
  const counter = counterOf(feature.key, 'tier', row.matchText, subscriptionPeriod(terms, at), plan);
  const amount = priceOf(row, quantity, counter.used);
  counter.used += quantity;
  return { kind: 'charged', unit: row.unit, amount, included };
}

function quotaCounter({ terms, counterOf }: RatingScope, feature: Feature, plan: PlanFeature, at: Instant): Counter {
  return counterOf(feature.key, 'quota', '', quotaPeriod(terms, plan.reset, at), plan);
}

/** Ingestion checked it; a text that does not parse here is a bug. */
export function quantityOf(reading: MeterReading): Nano {
  const text = reading.quantity ?? '0';
  const small = SMALL.get(text);
  if (small !== undefined) return small;
  const parsed = parseAmount(text);
  invariant(parsed.ok && parsed.value >= 0n, 'A metered quantity is a decimal of at least 0');
  if (SMALL.size < SMALL_LIMIT) SMALL.set(text, parsed.value);
  return parsed.value;
}

/** Most quantities repeat ("1", token counts): reading them again costs more than the rest of rating. */
const SMALL = new Map<string, Nano>();
const SMALL_LIMIT = 10_000;
