import { addCalendar, addMicros, MICROS, ok, err, periodAt } from '@tallygate/kernel';
import type { Instant, Result } from '@tallygate/kernel';
import { knownAmount } from './amounts';
import { chargeOf } from './charge';
import type { ChargePurpose } from './charge';
import { CURRENT, intervalOf, invoicesRest } from './subscription';
import type { Discount, SoldPlan, Standing, Subscription, SubscriptionRefusal } from './subscription';
import { evolveAll } from './subscription-event';
import type { SubscriptionEvent } from './subscription-event';

export type Decision = Result<readonly SubscriptionEvent[], SubscriptionRefusal>;

/** How long a subscription waits for its first payment or method (semantics §5). */
export const INCOMPLETE_MICROS = 48 * MICROS.hour;

export interface SubscribeCommand {
  readonly id: string;
  readonly customerId: string;
  readonly zone: string;
  readonly currency: string;
  readonly plan: SoldPlan;
  readonly at: Instant;
  /** A later start waits; null is now. */
  readonly startsAt: Instant | null;
  /** Null: as the plan says. */
  readonly trialDays: number | null;
  readonly discount: Discount | null;
  /** The payer has a stored method. */
  readonly hasMethod: boolean;
  /** How the payer stands with earlier invoices. */
  readonly standing: Standing | null;
}

/** @param present the customer's subscription that has not ended, if any */
export function subscribe(present: Subscription | null, command: SubscribeCommand): Decision {
  if (present !== null) return err('subscription_exists');
  const subscription = requested(command);
  const events: SubscriptionEvent[] = [{ type: 'requested', subscription }];
  if (command.plan.terms.requires_approval) return ok(events);
  return ok([...events, ...begin(subscription, command.at, command.hasMethod)]);
}

/** Nothing was charged before, and periods begin now. */
export function approve(state: Subscription, at: Instant, hasMethod: boolean): Decision {
  if (state.phase !== 'pending_approval') return err('not_pending_approval');
  return ok(begin(state, at, hasMethod));
}

export function reject(state: Subscription, at: Instant): Decision {
  if (state.phase !== 'pending_approval') return err('not_pending_approval');
  return ok([{ type: 'canceled', at }]);
}

/** From nothing, an approval or a start date into the first state that the plan's terms allow. */
export function begin(state: Subscription, at: Instant, hasMethod: boolean): SubscriptionEvent[] {
  if (state.startsAt > at) return [{ type: 'start_awaited' }];
  const { terms } = state.plan;
  const until = addMicros(at, INCOMPLETE_MICROS);
  if (state.trialDays > 0) {
    if (terms.trial_requires_method && !hasMethod)
      return [{ type: 'became_incomplete', reason: 'method', until }];
    return [beginTrial(state, at)];
  }
  if (terms.first_payment === 'gate' && knownAmount(terms.amount) > 0n) {
    const reason = hasMethod ? 'payment' : 'method';
    return [{ type: 'became_incomplete', reason, until }, activationCharge(state, at)];
  }
  return activate(state, at);
}

export function beginTrial(state: Subscription, at: Instant): SubscriptionEvent {
  const end = addCalendar(at, { months: 0, days: state.trialDays, micros: 0 }, state.zone);
  return { type: 'trial_began', at, end };
}

/** Serves from `at` on; its first period is invoiced at that instant. */
export function activate(state: Subscription, at: Instant): SubscriptionEvent[] {
  const { start, end } = periodAt(at, intervalOf(state), 0, state.zone);
  const events: SubscriptionEvent[] = [{ type: 'activated', start, end, paid: false }];
  return [...events, ...chargePeriod(evolveAll(state, events), at)];
}

/** The first period was paid before it began: it begins with the payment. */
export function activatePaid(state: Subscription, at: Instant): SubscriptionEvent[] {
  const { start, end } = periodAt(at, intervalOf(state), 0, state.zone);
  return [{ type: 'activated', start, end, paid: true }];
}

/** The present period's invoice, for its share from `at`; none while invoices rest or when it was invoiced before. */
export function chargePeriod(state: Subscription, at: Instant): SubscriptionEvent[] {
  if (state.phase !== 'active' || invoicesRest(state)) return [];
  if (state.invoicedPeriod !== null && state.invoicedPeriod >= state.periodStart) return [];
  return [chargeFor(state, 'period', { start: state.periodStart, end: state.periodEnd }, at)];
}

export function activationCharge(state: Subscription, at: Instant): SubscriptionEvent {
  return chargeFor(state, 'activation', periodAt(at, intervalOf(state), 0, state.zone), at);
}

function chargeFor(
  state: Subscription,
  purpose: ChargePurpose,
  period: { readonly start: Instant; readonly end: Instant },
  from: Instant,
): SubscriptionEvent {
  const basis = {
    purpose,
    anchor: from,
    period,
    from,
    amount: knownAmount(state.plan.terms.amount),
    description: `Plan ${state.plan.key}`,
    currency: state.currency,
    zone: state.zone,
  };
  return { type: 'charged', charge: chargeOf(basis, state.discount, state.carry) };
}

function requested(command: SubscribeCommand): Subscription {
  const { plan, at, zone } = command;
  const startsAt = command.startsAt !== null && command.startsAt > at ? command.startsAt : at;
  const { start, end } = periodAt(startsAt, plan.terms.interval, 0, zone);
  return {
    id: command.id,
    customerId: command.customerId,
    zone,
    currency: command.currency,
    plan,
    phase: 'pending_approval',
    standing: freshStanding(command.standing),
    startsAt,
    trialDays: command.trialDays ?? plan.terms.trial_days ?? 0,
    anchor: start,
    periodIndex: 0,
    periodStart: start,
    periodEnd: end,
    invoicedPeriod: null,
    trialEnd: null,
    incompleteReason: null,
    incompleteUntil: null,
    pausedAt: null,
    cancelAt: null,
    endedAt: null,
    waiting: null,
    discount: command.discount,
    carry: 0n,
    version: 0,
  };
}

/** A final action has closed what was owed before it: it anchors nothing, so whoever buys again starts clean. */
function freshStanding(standing: Standing | null): Standing {
  if (standing === null) return CURRENT;
  return standing.state === 'ended' ? { ...CURRENT, version: standing.version } : standing;
}
