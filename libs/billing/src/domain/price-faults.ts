import type { Price } from '@tallygate/contracts';
import { knownAmount } from './amounts';
import type { Fault } from './catalog-faults';

type Tier = NonNullable<Price['tiers']>[number];

/** A price row by its model: what it needs, and tiers that leave no gap. */
export function tierFaults(at: string, price: Price): Fault[] {
  switch (price.model) {
    case 'flat':
    case 'per_unit':
      return price.amount === undefined
        ? [need(`${at}.amount`, `a ${price.model} price has an amount`, 'say what it costs')]
        : [];
    case 'package':
      return packageFaults(at, price);
    default:
      return tiersInOrder(at, price.tiers ?? []);
  }
}

function need(field: string, problem: string, fix: string): Fault {
  return { field, value: null, problem, fix };
}

function packageFaults(at: string, price: Price): Fault[] {
  const faults: Fault[] = [];
  if (price.amount === undefined)
    faults.push(need(`${at}.amount`, 'a package has an amount', 'say what one package costs'));
  if (price.package_size === undefined || knownAmount(price.package_size) <= 0n)
    faults.push({
      field: `${at}.package_size`,
      value: price.package_size ?? null,
      problem: 'a package holds a number of units above 0',
      fix: 'say how many units one package holds',
    });
  return faults;
}

/** Each tier ends above the one before, the last is open: every unit has exactly one price. */
function tiersInOrder(at: string, tiers: readonly Tier[]): Fault[] {
  if (tiers.length === 0) return [need(`${at}.tiers`, 'a tiered price has tiers', 'give at least one tier')];
  return tiers.flatMap((tier, index) => tierFault(`${at}.tiers[${index}]`, tiers, tier, index));
}

function tierFault(field: string, tiers: readonly Tier[], tier: Tier, index: number): Fault[] {
  const faults: Fault[] = [];
  if (tier.amount === undefined && tier.flat === undefined)
    faults.push(need(field, 'a tier without amount and flat', 'give at least one of them'));
  for (const part of ['amount', 'flat'] as const) {
    const value = tier[part];
    if (value !== undefined && knownAmount(value) < 0n)
      faults.push({
        field: `${field}.${part}`,
        value,
        problem: 'the amount is negative',
        fix: 'use 0 or more',
      });
  }
  const last = index === tiers.length - 1;
  if (last && tier.up_to !== undefined)
    faults.push({
      field: `${field}.up_to`,
      value: tier.up_to,
      problem: 'units above the last tier have no price',
      fix: 'leave up_to out of the last tier',
    });
  if (!last && tier.up_to === undefined)
    faults.push(need(`${field}.up_to`, 'only the last tier is open', 'say up to which unit it reaches'));
  const before = index === 0 ? 0n : knownAmount(tiers[index - 1]?.up_to ?? '0');
  if (tier.up_to !== undefined && knownAmount(tier.up_to) <= before)
    faults.push({
      field: `${field}.up_to`,
      value: tier.up_to,
      problem: 'does not reach above the tier before',
      fix: 'order the tiers by up_to',
    });
  return faults;
}
