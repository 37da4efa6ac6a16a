import { invariant, periodAt } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { dueAt, intervalOf } from './subscription';
import type { Subscription } from './subscription';
import { evolveAll } from './subscription-event';
import type { SubscriptionEvent } from './subscription-event';
import { activate, begin, chargePeriod } from './subscription-start';

/**
 * The first thing that became due by `at`, at its own instant; nothing when nothing did. Whoever lets time pass asks
 * again until nothing is left, so that every period is stated, however late it was noticed.
 */
export function nextStep(state: Subscription, at: Instant, hasMethod: boolean): SubscriptionEvent[] {
  const due = dueAt(state);
  if (due === null || due > at) return [];
  const happened = whatFallsDue(state, due, hasMethod);
  invariant(dueAt(evolveAll(state, happened)) !== due, 'Time passes in every step');
  return happened;
}

function whatFallsDue(state: Subscription, due: Instant, hasMethod: boolean): SubscriptionEvent[] {
  if (state.cancelAt !== null && state.cancelAt <= due) return [{ type: 'canceled', at: due }];
  switch (state.phase) {
    case 'not_started':
      return begin(state, due, hasMethod);
    case 'incomplete':
      return [
        { type: 'canceled', at: due },
        { type: 'charge_withdrawn', purpose: 'activation' },
      ];
    case 'trialing':
      return hasMethod ? activate(state, due) : [{ type: 'trial_ran_out' }];
    default:
      return renew(state, due);
  }
}

/** The next period begins where the last one ended; a change that waited for it takes effect first. */
function renew(state: Subscription, at: Instant): SubscriptionEvent[] {
  const events: SubscriptionEvent[] = [];
  const { waiting } = state;
  if (waiting?.until === 'period_end')
    events.push({ type: 'plan_changed', plan: waiting.plan, discount: waiting.discount });
  const changed = evolveAll(state, events);
  events.push(nextPeriod(changed, intervalOf(changed) === intervalOf(state)));
  return [...events, ...chargePeriod(evolveAll(state, events), at)];
}

/** Another interval starts a series of its own; the same one goes on from the old anchor, so that nothing drifts. */
function nextPeriod(state: Subscription, sameInterval: boolean): SubscriptionEvent {
  const anchor = sameInterval ? state.anchor : state.periodEnd;
  const index = sameInterval ? state.periodIndex + 1 : 0;
  const { start, end } = periodAt(anchor, intervalOf(state), index, state.zone);
  return { type: 'period_began', anchor, index, start, end };
}
