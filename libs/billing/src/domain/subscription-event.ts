import { assertNever } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { Charge } from './charge';
import { hasEnded } from './subscription';
import type {
  Discount,
  IncompleteReason,
  SoldPlan,
  Standing,
  Subscription,
  WaitingChange,
} from './subscription';

/** What happened to a subscription. `charged` and `charge_withdrawn` also tell the service to write or void an invoice. */
export type SubscriptionEvent =
  | { readonly type: 'requested'; readonly subscription: Subscription }
  | { readonly type: 'start_awaited' }
  | { readonly type: 'became_incomplete'; readonly reason: IncompleteReason; readonly until: Instant }
  | { readonly type: 'incomplete_reason_changed'; readonly reason: IncompleteReason }
  | { readonly type: 'trial_began'; readonly at: Instant; readonly end: Instant }
  | { readonly type: 'trial_ran_out' }
  | { readonly type: 'activated'; readonly start: Instant; readonly end: Instant; readonly paid: boolean }
  | {
      readonly type: 'period_began';
      readonly anchor: Instant;
      readonly index: number;
      readonly start: Instant;
      readonly end: Instant;
    }
  | { readonly type: 'charged'; readonly charge: Charge }
  | { readonly type: 'charge_withdrawn'; readonly purpose: 'activation' | 'change' }
  | { readonly type: 'standing_changed'; readonly standing: Standing }
  | { readonly type: 'paused'; readonly at: Instant }
  | { readonly type: 'resumed' }
  | { readonly type: 'cancel_scheduled'; readonly at: Instant }
  | { readonly type: 'canceled'; readonly at: Instant }
  | { readonly type: 'written_off'; readonly at: Instant }
  | { readonly type: 'downgraded'; readonly plan: SoldPlan; readonly start: Instant; readonly end: Instant }
  | { readonly type: 'change_awaited'; readonly change: WaitingChange }
  | { readonly type: 'change_dropped' }
  | { readonly type: 'plan_changed'; readonly plan: SoldPlan; readonly discount: Discount | null };

/** The state after an event. The version grows once per stored change, not here. */
export function evolve(state: Subscription, event: SubscriptionEvent): Subscription {
  switch (event.type) {
    case 'requested':
      return event.subscription;
    case 'start_awaited':
      return { ...state, phase: 'not_started' };
    case 'became_incomplete':
      return { ...state, phase: 'incomplete', incompleteReason: event.reason, incompleteUntil: event.until };
    case 'incomplete_reason_changed':
      return { ...state, incompleteReason: event.reason };
    case 'trial_began':
      return trialing(state, event.at, event.end);
    case 'trial_ran_out':
      return { ...state, phase: 'trial_ended', invoicedPeriod: null };
    case 'activated':
      return activated(state, event.start, event.end, event.paid);
    case 'period_began':
      return {
        ...state,
        anchor: event.anchor,
        periodIndex: event.index,
        periodStart: event.start,
        periodEnd: event.end,
      };
    case 'charged':
      return charged(state, event.charge);
    case 'charge_withdrawn':
      return state;
    case 'standing_changed':
      return { ...state, standing: event.standing };
    case 'paused':
      return { ...state, pausedAt: event.at };
    case 'resumed':
      return { ...state, pausedAt: null };
    case 'cancel_scheduled':
      return { ...state, cancelAt: event.at };
    case 'canceled':
      return { ...closed(state), phase: 'canceled', endedAt: event.at };
    case 'written_off':
      return { ...closed(state), phase: 'written_off' };
    case 'downgraded':
      return downgraded(state, event.plan, event.start, event.end);
    case 'change_awaited':
      return { ...state, waiting: event.change };
    case 'change_dropped':
      return { ...state, waiting: null };
    case 'plan_changed':
      return planChanged(state, event.plan, event.discount);
    default:
      return assertNever(event);
  }
}

export function evolveAll(state: Subscription, events: readonly SubscriptionEvent[]): Subscription {
  return events.reduce(evolve, state);
}

/** The trial is the period before the first: the anchor is its end. */
function trialing(state: Subscription, at: Instant, end: Instant): Subscription {
  return {
    ...state,
    phase: 'trialing',
    anchor: end,
    periodIndex: -1,
    periodStart: at,
    periodEnd: end,
    invoicedPeriod: at,
    trialEnd: end,
    incompleteReason: null,
    incompleteUntil: null,
  };
}

function activated(state: Subscription, start: Instant, end: Instant, paid: boolean): Subscription {
  return {
    ...state,
    phase: 'active',
    anchor: start,
    periodIndex: 0,
    periodStart: start,
    periodEnd: end,
    invoicedPeriod: paid ? start : null,
    incompleteReason: null,
    incompleteUntil: null,
  };
}

function planChanged(state: Subscription, plan: SoldPlan, discount: Discount | null): Subscription {
  const carry = state.waiting?.carry ?? state.carry;
  return { ...state, plan, discount: discount ?? state.discount, carry, waiting: null };
}

/** The charge of a change counts only once it is paid. */
function charged(state: Subscription, charge: Charge): Subscription {
  if (charge.purpose === 'change') return state;
  return {
    ...state,
    carry: charge.carry,
    discount: used(state.discount),
    invoicedPeriod: charge.periodStart,
  };
}

function used(discount: Discount | null): Discount | null {
  if (discount === null || discount.periodsLeft === null) return discount;
  return discount.periodsLeft <= 1 ? null : { ...discount, periodsLeft: discount.periodsLeft - 1 };
}

/** After the final action the old invoices anchor nothing, so the standing is clean again. */
function closed(state: Subscription): Subscription {
  return {
    ...state,
    standing: { state: 'current', suspendAt: null, version: state.standing.version },
    pausedAt: hasEnded(state) ? state.pausedAt : null,
    incompleteReason: null,
    incompleteUntil: null,
    waiting: null,
  };
}

function downgraded(state: Subscription, plan: SoldPlan, start: Instant, end: Instant): Subscription {
  return {
    ...closed(state),
    phase: 'free_tier',
    plan,
    anchor: start,
    periodIndex: 0,
    periodStart: start,
    periodEnd: end,
    invoicedPeriod: start,
    cancelAt: null,
  };
}
