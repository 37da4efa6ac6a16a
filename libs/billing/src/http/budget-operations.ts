import { budgetAnswer, budgetsAnswer, removedBudgetAnswer } from './answers';
import { budgetRefused, notFound } from './refusals';

const BUDGET = { feature: 'completions', day: '5', month: '100' };
const NO_BUDGET = notFound('budget');
const NO_PRICE = {
  field: 'feature',
  value: 'completions',
  problem: 'has no price, so nothing is debited for it',
  fix: 'name a feature with a price',
};

export const BUDGETS = {
  list: {
    id: 'listBudgets',
    summary: 'What the customer lets its features cost by day and month',
    answer: budgetsAnswer,
    example: { customer: 'acme', budgets: [BUDGET] },
    refusals: [notFound('customer')],
  },
  show: {
    id: 'getBudget',
    summary: 'What the customer lets a feature cost by day and month',
    answer: budgetAnswer,
    example: { customer: 'acme', ...BUDGET },
    refusals: [NO_BUDGET],
  },
  set: {
    id: 'setBudget',
    summary: 'Sets what a feature may cost the customer by calendar day and month',
    description:
      'In the unit of the feature’s price and in the customer’s time zone, beside the plan’s spend cap: whichever is ' +
      'reached first refuses with `spend_cap_reached`. What the period has cost before counts. A change of plan leaves ' +
      'it as it is. What is left out, or null, is without a limit; 0 lets nothing be spent.',
    body: { example: { day: '5', month: '100' } },
    answer: budgetAnswer,
    example: { customer: 'acme', ...BUDGET },
    refusals: [
      budgetRefused({ code: 'unknown_customer' }),
      budgetRefused({ code: 'no_unit', fault: NO_PRICE }),
    ],
  },
  remove: {
    id: 'removeBudget',
    summary: 'Removes the budget of a feature; the plan’s spend cap stays',
    answer: removedBudgetAnswer,
    example: { customer: 'acme', feature: 'completions', removed: true as const },
    refusals: [NO_BUDGET],
  },
};
