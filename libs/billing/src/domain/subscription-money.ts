import { periodAt } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { CollectionFacts } from '@tallygate/contracts';
import { knownAmount } from './amounts';
import type { ChargePurpose } from './charge';
import { intervalOf, invoicesRest } from './subscription';
import type { SoldPlan, Standing, Subscription } from './subscription';
import { evolveAll } from './subscription-event';
import type { SubscriptionEvent } from './subscription-event';
import { activate, activatePaid, activationCharge, beginTrial, chargePeriod } from './subscription-start';

/** A method was stored for the payer. What is due is charged by dunning; this is what the method itself opens. */
export function methodAdded(state: Subscription, at: Instant): SubscriptionEvent[] {
  if (state.phase === 'incomplete' && state.incompleteReason === 'method') {
    const waitsForTrial = state.trialDays > 0 && state.trialEnd === null;
    return waitsForTrial
      ? [beginTrial(state, at)]
      : [{ type: 'incomplete_reason_changed', reason: 'payment' }];
  }
  if (state.phase !== 'trial_ended' || state.invoicedPeriod !== null) return [];
  return knownAmount(state.plan.terms.amount) === 0n ? activate(state, at) : [activationCharge(state, at)];
}

/** The last method of the payer is gone. */
export function methodRemoved(state: Subscription): SubscriptionEvent[] {
  if (state.phase !== 'incomplete' || state.incompleteReason === 'method') return [];
  return [{ type: 'incomplete_reason_changed', reason: 'method' }];
}

/** An invoice of this subscription was paid. */
export function paid(state: Subscription, purpose: ChargePurpose, at: Instant): SubscriptionEvent[] {
  if (purpose === 'activation' && (state.phase === 'incomplete' || state.phase === 'trial_ended'))
    return activatePaid(state, at);
  if (purpose === 'change' && state.waiting?.until === 'payment') return changePaid(state, at);
  return [];
}

/** Its payer owes nothing any more: an account that was written off is closed in good order. */
export function settled(state: Subscription, at: Instant): SubscriptionEvent[] {
  return state.phase === 'written_off' ? [{ type: 'canceled', at }] : [];
}

/** An attempt for an invoice of this subscription did not go through, or waits for the cardholder. */
export function paymentHeld(
  state: Subscription,
  purpose: ChargePurpose,
  reason: 'action' | 'payment',
): SubscriptionEvent[] {
  if (purpose === 'change' && reason === 'payment' && state.waiting?.until === 'payment')
    return [{ type: 'change_dropped' }, { type: 'charge_withdrawn', purpose: 'change' }];
  if (purpose !== 'activation' || state.phase !== 'incomplete' || state.incompleteReason === reason)
    return [];
  return [{ type: 'incomplete_reason_changed', reason }];
}

/** What dunning says about the payer; `downgradeTo` is the plan that a final action names. */
export interface CollectionNews {
  readonly standing: Standing;
  readonly finalAction: CollectionFacts['finalAction'];
  readonly downgradeTo: SoldPlan | null;
}

/** Older news than the state's own changes nothing. */
export function standingChanged(state: Subscription, news: CollectionNews, at: Instant): SubscriptionEvent[] {
  if (news.standing.version <= state.standing.version) return [];
  const changed: SubscriptionEvent[] = [{ type: 'standing_changed', standing: news.standing }];
  const present = evolveAll(state, changed);
  if (news.standing.state === 'ended') return [...changed, ...finalAction(present, news, at)];
  const serves = invoicesRest(state) && !invoicesRest(present);
  return serves ? [...changed, ...chargePeriod(present, at)] : changed;
}

/** Age ≥ end: what the policy asks for, where there is still something to end. */
function finalAction(state: Subscription, news: CollectionNews, at: Instant): SubscriptionEvent[] {
  if (state.phase !== 'active' && state.phase !== 'trial_ended') return [];
  switch (news.finalAction) {
    case 'downgrade':
      return news.downgradeTo === null
        ? [{ type: 'canceled', at }]
        : [downgrade(state, news.downgradeTo, at)];
    case 'write_off':
      return [{ type: 'written_off', at }];
    case 'cancel':
      return [{ type: 'canceled', at }];
    default:
      return [];
  }
}

function downgrade(state: Subscription, plan: SoldPlan, at: Instant): SubscriptionEvent {
  const { start, end } = periodAt(at, plan.terms.interval, 0, state.zone);
  return { type: 'downgraded', plan, start, end };
}

/** An upgrade keeps period and anchor; a plan bought from the free tier starts both anew. */
function changePaid(state: Subscription, at: Instant): SubscriptionEvent[] {
  const { waiting } = state;
  if (waiting === null) return [];
  const changed: SubscriptionEvent[] = [
    { type: 'plan_changed', plan: waiting.plan, discount: waiting.discount },
  ];
  if (state.phase !== 'free_tier') return changed;
  const { start, end } = periodAt(at, intervalOf(evolveAll(state, changed)), 0, state.zone);
  return [...changed, { type: 'activated', start, end, paid: true }];
}

/** An operator gave the debt up: what the final action write_off does, at once. */
export function writeOffAccount(state: Subscription, at: Instant): SubscriptionEvent[] {
  return state.phase === 'written_off' || state.phase === 'canceled' ? [] : [{ type: 'written_off', at }];
}
