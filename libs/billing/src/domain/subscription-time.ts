import { invariant, periodAt } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { dueAt, intervalOf } from './subscription';
import type { Subscription } from './subscription';
import { evolveAll } from './subscription-event';
import type { SubscriptionEvent } from './subscription-event';
import { activate, begin, chargePeriod } from './subscription-start';

/** More than this at once is a loop, not a backlog: a century of days. */
const MOST_STEPS = 36_600;

/** Everything that became due up to and including `at`, each at its own instant, in order. */
export function passTime(state: Subscription, at: Instant, hasMethod: boolean): SubscriptionEvent[] {
  const events: SubscriptionEvent[] = [];
  let present = state;
  for (let due = dueAt(present); due !== null && due <= at; due = dueAt(present)) {
    const happened = whatFallsDue(present, due, hasMethod);
    events.push(...happened);
    present = evolveAll(present, happened);
    invariant(dueAt(present) !== due && events.length < MOST_STEPS, 'Time passes in every step');
  }
  return events;
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
