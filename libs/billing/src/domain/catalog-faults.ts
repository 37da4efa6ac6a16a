import type { Catalog, DunningPolicy, Feature, Plan, Price } from '@tallygate/contracts';
import { minorDigits, parseDuration, exactMicros } from '@tallygate/kernel';
import { knownAmount } from './amounts';
import { unitsOf } from './budget';
import { tierFaults } from './price-faults';

/** One thing to put right, named so that whoever wrote the document finds it. */
export interface Fault {
  /** Path in the document, with keys: `plans.pro.features.calls`. */
  readonly field: string;
  readonly value: unknown;
  readonly problem: string;
  readonly fix: string;
}

const RISES: ReadonlySet<string> = new Set(['prepaid', 'quota_then_prepaid']);
const METERED: ReadonlySet<string> = new Set(['quota', 'prepaid', 'quota_then_prepaid']);

/** Every fault of a catalog that is in force as a whole: parts that name each other must exist and fit. */
export function catalogFaults(catalog: Catalog): Fault[] {
  const known = keysOf(catalog);
  return [
    ...catalog.meters.flatMap(meterFaults),
    ...catalog.features.flatMap((feature) => featureFaults(feature, catalog, known)),
    ...catalog.prices.flatMap(priceFaults),
    ...catalog.plans.flatMap((plan) => planFaults(plan, catalog, known)),
    ...catalog.dunning_policies.flatMap((policy) => policyFaults(policy, catalog)),
    ...catalog.notification_rules.flatMap((rule) =>
      rule.feature === undefined
        ? []
        : unknownKey(`notification_rules.${rule.key}.feature`, rule.feature, known.features, 'feature'),
    ),
    ...catalog.coupons.flatMap(couponFaults),
  ];
}

/** Two parts of one document under one key: which of them was meant cannot be known. Prices share keys by design. */
export function duplicateFaults(document: Catalog): Fault[] {
  const parts = ['meters', 'features', 'plans', 'dunning_policies', 'notification_rules', 'coupons'] as const;
  return parts.flatMap((part) => {
    const keys = document[part].map(({ key }) => key);
    const repeated = new Set(keys.filter((key, at) => keys.indexOf(key) !== at));
    return [...repeated].map((key) => ({
      field: `${part}.${key}`,
      value: key,
      problem: 'the key is used twice in one document',
      fix: 'keep one of them, or give the other a key of its own',
    }));
  });
}

interface KnownKeys {
  readonly meters: ReadonlySet<string>;
  readonly features: ReadonlySet<string>;
  readonly prices: ReadonlySet<string>;
  readonly plans: ReadonlySet<string>;
  readonly policies: ReadonlySet<string>;
}

function keysOf(catalog: Catalog): KnownKeys {
  const keys = (list: readonly { readonly key: string }[]) => new Set(list.map(({ key }) => key));
  return {
    meters: keys(catalog.meters),
    features: keys(catalog.features),
    prices: keys(catalog.prices),
    plans: keys(catalog.plans),
    policies: keys(catalog.dunning_policies),
  };
}

function unknownKey(field: string, value: string, known: ReadonlySet<string>, what: string): Fault[] {
  if (known.has(value)) return [];
  const choice = known.size === 0 ? `the catalog has no ${what} yet` : `known: ${[...known].join(', ')}`;
  return [{ field, value, problem: `no such ${what}`, fix: `add the ${what} or name another; ${choice}` }];
}

function meterFaults(meter: Catalog['meters'][number]): Fault[] {
  const field = `meters.${meter.key}.value`;
  if (meter.aggregation === 'count' && meter.value !== undefined)
    return [
      {
        field,
        value: meter.value,
        problem: 'a count has no value',
        fix: 'remove value, or use another aggregation',
      },
    ];
  if (meter.aggregation !== 'count' && meter.value === undefined)
    return [
      {
        field,
        value: null,
        problem: `${meter.aggregation} needs a value to read`,
        fix: 'name a path such as $.tokens',
      },
    ];
  return [];
}

function featureFaults(feature: Feature, catalog: Catalog, known: KnownKeys): Fault[] {
  const at = `features.${feature.key}`;
  const faults: Fault[] = [];
  if (feature.meter !== undefined)
    faults.push(...unknownKey(`${at}.meter`, feature.meter, known.meters, 'meter'));
  if (feature.price !== undefined)
    faults.push(...unknownKey(`${at}.price`, feature.price, known.prices, 'price'));
  if (METERED.has(feature.kind) && feature.meter === undefined)
    faults.push(missing(`${at}.meter`, `a ${feature.kind} feature counts by a meter`));
  if (RISES.has(feature.kind) && feature.price === undefined)
    faults.push(missing(`${at}.price`, `a ${feature.kind} feature debits a price`));
  return [...faults, ...aggregationFaults(feature, catalog)];
}

/** On min and avg an event can lower the value: there is no debit per event to make (semantics §4). */
function aggregationFaults(feature: Feature, catalog: Catalog): Fault[] {
  const meter = catalog.meters.find(({ key }) => key === feature.meter);
  if (!RISES.has(feature.kind) || meter === undefined) return [];
  if (meter.aggregation !== 'min' && meter.aggregation !== 'avg') return [];
  return [
    {
      field: `features.${feature.key}.meter`,
      value: meter.key,
      problem: `a ${feature.kind} feature cannot debit by ${meter.aggregation}`,
      fix: 'use a meter with count, sum, max, latest or unique_count',
    },
  ];
}

function missing(field: string, problem: string): Fault {
  return { field, value: null, problem, fix: 'name one of the catalog' };
}

function priceFaults(price: Price): Fault[] {
  const at = `prices.${price.key}`;
  const faults: Fault[] = tierFaults(at, price);
  if (price.amount !== undefined && knownAmount(price.amount) < 0n)
    faults.push(negative(`${at}.amount`, price.amount));
  return faults;
}

function negative(field: string, value: string): Fault {
  return { field, value, problem: 'the amount is negative', fix: 'use 0 or more' };
}

/** A change of the plan needs a version after the present one. */
const MOST_VERSIONS = 1_000_000_000;

const versionsUsedUp = (field: string, value: unknown): Fault => ({
  field,
  value,
  problem: 'leaves no version for later changes',
  fix: `use a version of at most ${MOST_VERSIONS}`,
});

function planFaults(plan: Plan, catalog: Catalog, known: KnownKeys): Fault[] {
  const at = `plans.${plan.key}`;
  const faults = Object.entries(plan.features).flatMap(([key, terms]) => [
    ...unknownKey(`${at}.features.${key}`, key, known.features, 'feature'),
    ...termFaults(
      `${at}.features.${key}`,
      catalog.features.find((feature) => feature.key === key),
      terms,
      catalog,
    ),
  ]);
  if (plan.dunning !== undefined)
    faults.push(...unknownKey(`${at}.dunning`, plan.dunning, known.policies, 'dunning policy'));
  if (knownAmount(plan.amount) < 0n) faults.push(negative(`${at}.amount`, plan.amount));
  if ((plan.version ?? 0) > MOST_VERSIONS) faults.push(versionsUsedUp(`${at}.version`, plan.version));
  return [...faults, ...plan.grants.flatMap((grant, index) => grantFaults(`${at}.grants[${index}]`, grant))];
}

function termFaults(
  field: string,
  feature: Feature | undefined,
  terms: Plan['features'][string],
  catalog: Catalog,
): Fault[] {
  if (feature === undefined) return [];
  const faults: Fault[] = capFaults(`${field}.spend_cap`, feature, terms.spend_cap, catalog);
  if (feature.kind === 'quota' && terms.included === undefined)
    faults.push({
      field: `${field}.included`,
      value: null,
      problem: 'a quota without included units',
      fix: 'say how many units a period includes, such as included: "10000"',
    });
  if (terms.included !== undefined && knownAmount(terms.included) < 0n)
    faults.push(negative(`${field}.included`, terms.included));
  return faults;
}

function capFaults(
  field: string,
  { price }: Feature,
  cap: Plan['features'][string]['spend_cap'],
  { prices }: Catalog,
): Fault[] {
  if (cap === undefined) return [];
  const units = unitsOf(price, prices);
  if (units.length > 1) {
    const problem = `the price ${price} has rows in ${units.join(' and ')}, a cap is in one unit`;
    return [{ field, value: cap, problem, fix: 'give the price one unit, or remove the cap' }];
  }
  return knownAmount(cap.amount) < 0n ? [negative(`${field}.amount`, cap.amount)] : [];
}

function grantFaults(field: string, grant: Plan['grants'][number]): Fault[] {
  const faults = rolloverFaults(`${field}.rollover`, grant.rollover);
  if (knownAmount(grant.amount) > 0n) return faults;
  return [
    ...faults,
    {
      field: `${field}.amount`,
      value: grant.amount,
      problem: 'a grant of nothing',
      fix: 'use an amount above 0',
    },
  ];
}

function rolloverFaults(field: string, rollover: Plan['grants'][number]['rollover']): Fault[] {
  if (rollover?.min === undefined || rollover.max === undefined) return [];
  if (knownAmount(rollover.min) <= knownAmount(rollover.max)) return [];
  return [{ field, value: rollover, problem: 'min is above max', fix: 'use a min of at most max' }];
}

/** Deadlines in their order: nobody is suspended before the warning or ended before the suspension. */
function policyFaults(policy: DunningPolicy, catalog: Catalog): Fault[] {
  const at = `dunning_policies.${policy.key}`;
  const faults: Fault[] = [];
  const ages = (['warn', 'suspend', 'end'] as const).map((name) => ({ name, micros: ageOf(policy[name]) }));
  for (const { name, micros } of ages) if (micros === null) faults.push(noAge(`${at}.${name}`, policy[name]));
  const [warn, suspend, end] = ages.map(({ micros }) => micros);
  if (ordered(warn, suspend) === false) faults.push(disorder(`${at}.suspend`, policy.suspend, 'warn'));
  if (ordered(suspend, end) === false) faults.push(disorder(`${at}.end`, policy.end, 'suspend'));
  if (policy.final_action === 'downgrade') faults.push(...downgradeFaults(at, policy, catalog));
  return faults;
}

function ageOf(text: string): number | null {
  const parsed = parseDuration(text);
  return parsed.ok && parsed.value.months === 0 ? exactMicros(parsed.value) : null;
}

function ordered(first: number | null | undefined, second: number | null | undefined): boolean | null {
  if (typeof first !== 'number' || typeof second !== 'number') return null;
  return first <= second;
}

function noAge(field: string, value: string): Fault {
  return {
    field,
    value,
    problem: 'an age in months has no exact length',
    fix: 'use days or hours, such as 14d',
  };
}

function disorder(field: string, value: string, before: string): Fault {
  return { field, value, problem: `comes before ${before}`, fix: `use an age of ${before} or more` };
}

function downgradeFaults(at: string, policy: DunningPolicy, catalog: Catalog): Fault[] {
  const field = `${at}.downgrade_to`;
  if (policy.downgrade_to === undefined)
    return [missing(field, 'the final action downgrade needs a plan to go to')];
  const plans = new Set(catalog.plans.map(({ key }) => key));
  return unknownKey(field, policy.downgrade_to, plans, 'plan');
}

function couponFaults(coupon: Catalog['coupons'][number]): Fault[] {
  const field = `coupons.${coupon.key}`;
  if ((coupon.percent === undefined) === (coupon.amount === undefined))
    return [
      { field, value: null, problem: 'needs either percent or amount', fix: 'give exactly one of them' },
    ];
  const percent = coupon.percent === undefined ? 0n : knownAmount(coupon.percent);
  if (percent < 0n || percent > 100_000_000_000n)
    return [
      {
        field: `${field}.percent`,
        value: coupon.percent,
        problem: 'is not a percentage',
        fix: 'use 0 to 100',
      },
    ];
  if (coupon.amount !== undefined && knownAmount(coupon.amount) < 0n)
    return [negative(`${field}.amount`, coupon.amount)];
  return [];
}

/** True for an ISO 4217 code: what a customer can be charged in. Anything else is a credit unit. */
export function isCurrency(unit: string): boolean {
  return minorDigits(unit) !== 9;
}
