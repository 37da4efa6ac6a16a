import { MICROS, addMicros } from '@tallygate/kernel';
import { decide } from '../domain';
import type { Circumstances, CustomerEntry, Decision, DecisionRequest } from '../domain';
import type { World } from './world';
import { NOW, circumstances, feature, planFeature, quota, request, worldOf } from './world';
import type { subscription } from './world';

/** What is unusual; everything else is in order. */
export interface Situation {
  /** True: nothing is known at all. */
  readonly empty?: boolean;
  readonly world?: World;
  readonly request?: Partial<DecisionRequest>;
  readonly circumstances?: Partial<Circumstances>;
}

export function decideIn({ empty, world, request: asked, circumstances: around }: Situation): Decision {
  return decide(empty === true ? null : worldOf(world), request(asked), circumstances(around));
}

export const status = (changes: Parameters<typeof subscription>[0]): Situation => ({
  world: { subscription: changes },
});
export const customer = (changes: World['customer'], rest: World = {}): Situation => ({
  world: { ...rest, customer: changes },
});
export const quotaWorld = (used: string, included: string, limit: 'hard' | 'soft' = 'hard'): World => ({
  features: [feature({ kind: 'quota', price: null })],
  subscription: { features: { completions: planFeature({ included, limit }) } },
  customer: { quotas: { completions: quota(used, included) } },
});
/** Two caps of 10 USD, the plan's to the end of the month and a budget to the end of the day. */
export const capped = (byMonth: string, byDay: string): CustomerEntry['spend'] => {
  const plans = { unit: 'USD', spent: byMonth, cap: '10', periodEnd: '2026-04-01T00:00:00Z' };
  const budget = { unit: 'USD', spent: byDay, cap: '10', periodEnd: '2026-03-11T00:00:00Z' };
  return { completions: { ...plans, also: [budget] } };
};
export const limited = (verdict: 'rate_limited' | 'concurrency_limited'): Situation => ({
  circumstances: {
    limits: new Map([
      [
        'completions',
        verdict === 'rate_limited'
          ? { verdict, limit: 10, windowSeconds: 60, resetAt: addMicros(NOW, 30 * MICROS.second) }
          : { verdict, limit: 2 },
      ],
    ]),
  },
});
