import type { Budget, PlanFeature, SpendFacts, SubscriptionFacts } from '@tallygate/contracts';
import { Provider } from '../testing/facts';
import { customerEntryOf } from './customer-facts';

const provider = new Provider('0198c0de-0000-7000-8000-000000000001');

function subscriptionWith(spend_cap: PlanFeature['spend_cap']): SubscriptionFacts {
  const told = provider.subscription('acme');
  if (told.type !== 'subscription.changed') throw new TypeError(told.type);
  const { subscription } = told.data;
  const completions: PlanFeature = { limit: 'hard', reset: 'period', ...(spend_cap && { spend_cap }) };
  return { ...subscription, terms: { ...subscription.terms, features: { completions } } };
}

const spent = (per: SpendFacts['per'], cap: string, feature = 'completions'): SpendFacts => ({
  customerId: 'c',
  feature,
  version: 1,
  ...(per && { per }),
  unit: 'USD',
  periodStart: '2026-03-01T00:00:00Z',
  periodEnd: '2026-04-01T00:00:00Z',
  spent: '0',
  cap,
});
const budget = (day: string | null, month: string | null): Budget[] => [
  { feature: 'completions', day, month },
];

/** The caps that gates are told of, in order. */
function capsTold(
  ofPlan: PlanFeature['spend_cap'],
  budgets: Budget[] | undefined,
  spend: SpendFacts[],
): string[] {
  const told = provider.customer('acme', budgets && { budgets });
  if (told.type !== 'customer.changed') throw new TypeError(told.type);
  const entry = customerEntryOf({
    customer: told.data.customer,
    subscription: subscriptionWith(ofPlan),
    collection: null,
    hasMethod: true,
    flags: null,
    balances: [],
    quotas: [],
    spend,
  }).spend['completions'];
  return entry === undefined ? [] : [entry.cap, ...(entry.also ?? []).map(({ cap }) => cap)];
}

const DAY = spent('day', '5');
const MONTH = spent('month', '100');
const HOUR = spent('hour', '1');
const UNNAMED = spent(undefined, '7');
const OTHER = spent('day', '9', 'calls');

// the plan's cap, the budgets, what the ledger said, the caps told
it.each([
  ['nothing', undefined, undefined, [DAY, MONTH], []],
  ['a budget', undefined, budget('5', '100'), [MONTH, OTHER, DAY], ['5', '100']],
  ['one of two that was removed', undefined, budget(null, '100'), [DAY, MONTH], ['100']],
  ['a budget that the ledger has not counted yet', undefined, budget('5', '100'), [DAY], ['5']],
  ['a plan’s cap first', { amount: '100', per: 'month' }, budget('5', null), [DAY, MONTH], ['100', '5']],
  ['one count for two of one period', { amount: '9', per: 'day' }, budget('5', null), [DAY], ['5']],
  ['three', { amount: '1', per: 'hour' }, budget('5', '100'), [DAY, MONTH, HOUR], ['1', '5', '100']],
  ['a plan’s cap by another period now', { amount: '1', per: 'hour' }, undefined, [DAY], []],
  ['a fact that names no period', { amount: '7', per: 'day' }, undefined, [UNNAMED], ['7']],
  ['a fact that names none, and its successor', { amount: '5', per: 'day' }, [], [UNNAMED, DAY], ['5']],
  ['a fact that names none, for a budget', undefined, budget('5', null), [UNNAMED], []],
] as const)('%s', (_what, ofPlan, budgets, facts, expected) => {
  expect(capsTold(ofPlan, budgets && [...budgets], [...facts])).toEqual(expected);
});
