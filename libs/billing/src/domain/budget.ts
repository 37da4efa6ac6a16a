import type { Budget, Catalog, Price } from '@tallygate/contracts';
import type { Fault } from './catalog-faults';

/** What keeps a budget from being in a unit; null: nothing. Budgets are in the unit of the feature's price. */
export function budgetFault(key: string, { features, prices }: Catalog): Fault | null {
  const feature = features.find((one) => one.key === key);
  const fault = (problem: string, fix: string): Fault => ({ field: 'feature', value: key, problem, fix });
  if (feature === undefined)
    return fault('the catalog has no such feature', 'name a feature of the catalog, or apply one first');
  if (feature.price === undefined)
    return fault('has no price, so nothing is debited for it', 'name a feature with a price');
  const units = unitsOf(feature.price, prices);
  if (units.length === 1) return null;
  return fault(
    `its price ${feature.price} is in ${units.join(' and ') || 'no unit'}, a budget is in one unit`,
    'give the price rows of one unit',
  );
}

export function unitsOf(price: string | undefined, prices: readonly Price[]): readonly string[] {
  return [...new Set(prices.filter(({ key }) => key === price).map(({ unit }) => unit))];
}

/** In order of feature, one of each. */
export function withBudget(budgets: readonly Budget[], budget: Budget): readonly Budget[] {
  const others = withoutBudget(budgets, budget.feature);
  return [...others, budget].sort((a, b) => (a.feature < b.feature ? -1 : 1));
}

export function withoutBudget(budgets: readonly Budget[], feature: string): readonly Budget[] {
  return budgets.filter((one) => one.feature !== feature);
}
