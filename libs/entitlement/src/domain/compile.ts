import type { BalanceSegment, PlanFeature, Price } from '@tallygate/contracts';
import { invariant, parseAmount, parseInstant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type {
  CatalogEntry,
  CredentialEntry,
  CustomerEntry,
  FeatureEntry,
  QuotaEntry,
  SpendEntries,
  SpendEntry,
  SubscriptionEntry,
  TenantEntry,
} from './entries';
import type {
  CatalogState,
  CredentialState,
  CustomerCell,
  CustomerState,
  FeatureState,
  Lookup,
  PlanFeatureState,
  PriceHistory,
  PriceRow,
  QuotaState,
  Segment,
  SpendState,
  SubscriptionState,
  TenantTerms,
} from './state';

/** Everything that can be parsed once is parsed here, when an entry arrives, and never while a request waits. */
export function compileTenant(entry: TenantEntry, version: number): TenantTerms {
  const { id, name, mode, timezone, settings } = entry;
  return { version, id, name, mode, timezone, settings };
}

export function compileCatalog(entry: CatalogEntry, version: number): CatalogState {
  return {
    version,
    revision: entry.revision,
    features: new Map(entry.features.map((feature) => [feature.key, compileFeature(feature)])),
    prices: compilePrices(entry.prices),
    lowBalance: amounts(entry.lowBalance),
  };
}

/** @param customer where its customer's state is found, whether that has arrived yet or not */
export function compileCredential(
  entry: CredentialEntry,
  version: number,
  customer: CustomerCell,
): CredentialState {
  return {
    version,
    customerId: entry.customerId,
    customer,
    subject: entry.subject,
    expiresAt: optionalMoment(entry.expiresAt),
    revokedAt: optionalMoment(entry.revokedAt),
    erased: false,
  };
}

export function compileCustomer(
  entry: CustomerEntry,
  version: number,
  plans: SharedPlanFeatures,
): CustomerState {
  const { id, key, timezone, subjects, hasMethod, underReview, override } = entry;
  return {
    version,
    id,
    key,
    timezone,
    subjects,
    hasMethod,
    underReview,
    override: override === null ? null : { until: optionalMoment(override.until) },
    approvals: mapValues(entry.approvals, (approval) => approval),
    subscription: entry.subscription === null ? null : compileSubscription(entry.subscription, plans),
    overdraft: amounts(entry.overdraft),
    wallets: mapValues(entry.wallets, (segments) => segments.map(compileSegment)),
    quotas: mapValues(entry.quotas, compileQuota),
    spend: mapValues(entry.spend, compileSpend),
  };
}

/** An instant that a contract has already checked. */
export function moment(text: string): Instant {
  const parsed = parseInstant(text);
  invariant(parsed.ok, `An entry carries an instant that is none: ${text}`);
  return parsed.value;
}

function optionalMoment(text: string | null): Instant | null {
  return text === null ? null : moment(text);
}

function amount(text: string): Nano {
  const parsed = parseAmount(text);
  invariant(parsed.ok, `An entry carries an amount that is none: ${text}`);
  return parsed.value;
}

function amounts(record: Readonly<Record<string, string>>): Lookup<Nano> {
  return mapValues(record, amount);
}

/** One for all: most customers have several lists with nothing in them, and every decision looks into those. */
const EMPTY: Lookup<never> = new Map<string, never>();

/** A map of one entry without the table: each look-up of a map goes through three places in memory, this through one. */
class Single<V> implements Lookup<V> {
  constructor(
    private readonly key: string,
    private readonly value: V,
  ) {}

  get(key: string): V | undefined {
    return key === this.key ? this.value : undefined;
  }

  *[Symbol.iterator](): Iterator<readonly [string, V]> {
    yield [this.key, this.value];
  }
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, f: (value: A) => B): Lookup<B> {
  const entries = Object.entries(record);
  const [first] = entries;
  if (first === undefined) return EMPTY;
  if (entries.length === 1) return new Single(first[0], f(first[1]));
  return new Map(entries.map(([key, value]) => [key, f(value)]));
}

function compileFeature(feature: FeatureEntry): FeatureState {
  const { quotaWarning } = feature;
  return {
    ...feature,
    quotaWarning:
      'share' in quotaWarning
        ? { kind: 'share', share: amount(quotaWarning.share) }
        : { kind: 'amount', amount: amount(quotaWarning.amount) },
  };
}

/** A row without `from` holds since always. */
const ALWAYS = Number.MIN_SAFE_INTEGER as Instant;

function compilePrices(prices: readonly Price[]): ReadonlyMap<string, readonly PriceHistory[]> {
  const byKey = new Map<string, Map<string, PriceRow[]>>();
  for (const price of prices) {
    const matches = byKey.get(price.key) ?? new Map<string, PriceRow[]>();
    byKey.set(price.key, matches);
    const signature = JSON.stringify(Object.entries(price.match).sort(([a], [b]) => (a < b ? -1 : 1)));
    matches.set(signature, [...(matches.get(signature) ?? []), compilePrice(price)]);
  }
  return new Map([...byKey].map(([key, matches]) => [key, [...matches.values()].map(latestFirst)]));
}

/** Of rows with one `from` the one appended last is in force, so it comes first. */
function latestFirst(rows: readonly PriceRow[]): PriceHistory {
  return [...rows].reverse().sort((a, b) => b.from - a.from);
}

function compilePrice(price: Price): PriceRow {
  return {
    unit: price.unit,
    model: price.model,
    amount: amount(price.amount ?? '0'),
    packageSize: amount(price.package_size ?? '1'),
    tiers: (price.tiers ?? []).map((tier) => ({
      upTo: tier.up_to === undefined ? null : amount(tier.up_to),
      amount: amount(tier.amount ?? '0'),
      flat: amount(tier.flat ?? '0'),
    })),
    match: price.match,
    from: price.from === undefined ? ALWAYS : moment(price.from),
  };
}

function compileSubscription(entry: SubscriptionEntry, plans: SharedPlanFeatures): SubscriptionState {
  return {
    plan: entry.plan,
    status: entry.status,
    startedAt: moment(entry.startedAt),
    periodEnd: moment(entry.periodEnd),
    trialEnd: optionalMoment(entry.trialEnd),
    suspendAt: optionalMoment(entry.suspendAt),
    cancelAt: optionalMoment(entry.cancelAt),
    endedAt: optionalMoment(entry.endedAt),
    pausedAt: optionalMoment(entry.pausedAt),
    incompleteReason: entry.incompleteReason,
    opensWith: entry.opensWith,
    features: plans.of(entry.features),
  };
}

const MOST_SHARED = 1_000;

/**
 * What plans sell, one for all customers that have the same: a decision about another customer then finds it in the
 * processor's cache.
 */
export class SharedPlanFeatures {
  private readonly known = new Map<string, SubscriptionState['features']>();

  of(entry: SubscriptionEntry['features']): SubscriptionState['features'] {
    const text = JSON.stringify(entry);
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const features = mapValues(entry, compilePlanFeature);
    if (this.known.size >= MOST_SHARED) this.known.clear();
    this.known.set(text, features);
    return features;
  }
}

function compilePlanFeature(feature: PlanFeature): PlanFeatureState {
  return {
    included: amount(feature.included ?? '0'),
    limit: feature.limit,
    value: feature.value,
    reset: feature.reset,
    spendCap: feature.spend_cap === undefined ? null : amount(feature.spend_cap.amount),
  };
}

function compileSegment(segment: BalanceSegment): Segment {
  const restricted = Object.keys(segment.byFeature).length > 0;
  return {
    from: moment(segment.from),
    available: amount(segment.available),
    held: amount(segment.held),
    byFeature: restricted ? amounts(segment.byFeature) : null,
    expired: segment.expired,
  };
}

function compileQuota(quota: QuotaEntry): QuotaState {
  return { periodEnd: optionalMoment(quota.periodEnd), used: amount(quota.used) };
}

function compileSpend(first: SpendEntries): SpendState {
  return spendState(first, chainOf(first.also ?? []));
}

function chainOf([first, ...rest]: readonly SpendEntry[]): SpendState | null {
  return first === undefined ? null : spendState(first, chainOf(rest));
}

function spendState({ unit, periodEnd, spent, cap }: SpendEntry, next: SpendState | null): SpendState {
  return { unit, periodEnd: optionalMoment(periodEnd), spent: amount(spent), cap: amount(cap), next };
}
