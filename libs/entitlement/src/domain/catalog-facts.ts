import type { Catalog, Feature, NotificationRule, TenantFacts } from '@tallygate/contracts';
import { divideHalfEven, formatAmount, parseAmount } from '@tallygate/kernel';
import type { Nano } from '@tallygate/kernel';
import type { CatalogEntry, FeatureEntry, TenantEntry } from './entries';

export function tenantEntryOf(tenant: TenantFacts): TenantEntry {
  const { id, name, mode, timezone, currency, settings } = tenant;
  return { id, name, mode, timezone, currency, settings };
}

/** The part of a catalog that decisions read. */
export function catalogEntryOf(revision: number, catalog: Catalog): CatalogEntry {
  const sold = new Set(catalog.plans.flatMap((plan) => Object.keys(plan.features)));
  return {
    revision,
    features: catalog.features.map((feature) =>
      featureEntryOf(feature, sold.has(feature.key), catalog.notification_rules),
    ),
    prices: catalog.prices,
    lowBalance: lowBalanceOf(catalog.notification_rules),
  };
}

function featureEntryOf(feature: Feature, sold: boolean, rules: readonly NotificationRule[]): FeatureEntry {
  return {
    key: feature.key,
    name: feature.name ?? null,
    kind: feature.kind,
    price: feature.price ?? null,
    rateLimit: feature.rate_limit ?? null,
    concurrency: feature.concurrency ?? null,
    onOutage: feature.on_outage,
    noOverspend: feature.no_overspend,
    requiresApproval: feature.requires_approval,
    forbidden: feature.forbidden,
    sold,
    quotaWarning: quotaWarningOf(feature.key, rules),
  };
}

/** Of the rule for the feature, else of the rule for all; of several thresholds the lowest begins the warning. */
function quotaWarningOf(feature: string, rules: readonly NotificationRule[]): FeatureEntry['quotaWarning'] {
  const usage = rules.filter((rule) => rule.on === 'usage');
  const rule =
    usage.find((each) => each.feature === feature) ?? usage.find((each) => each.feature === undefined);
  const lowest = rule === undefined ? undefined : thresholdsOf(rule)[0];
  if (rule === undefined || lowest === undefined) return { share: '0.8' };
  return rule.percent
    ? { share: formatAmount(divideHalfEven(lowest, 100n)) }
    : { amount: formatAmount(lowest) };
}

/** A balance is low from the highest threshold of its unit's rule down. */
function lowBalanceOf(rules: readonly NotificationRule[]): Record<string, string> {
  const amounts: Record<string, string> = {};
  for (const rule of rules) {
    if (rule.on !== 'balance' || rule.percent) continue;
    const highest = thresholdsOf(rule).at(-1);
    if (highest !== undefined) amounts[rule.unit ?? '*'] = formatAmount(highest);
  }
  return amounts;
}

/** Ascending; what is no amount (a duration of another kind of rule) is left out. */
function thresholdsOf(rule: NotificationRule): readonly Nano[] {
  const list: Nano[] = [];
  for (const threshold of rule.thresholds) {
    const parsed = parseAmount(String(threshold));
    if (parsed.ok) list.push(parsed.value);
  }
  return list.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
