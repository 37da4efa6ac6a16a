import { err, ok, periodAt } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { knownAmount } from './amounts';
import { chargeOf } from './charge';
import { hasEnded, intervalOf, statusOf } from './subscription';
import type { Discount, SoldPlan, Subscription } from './subscription';
import { evolveAll } from './subscription-event';
import type { SubscriptionEvent } from './subscription-event';
import { chargePeriod } from './subscription-start';
import type { Decision } from './subscription-start';

const PAUSABLE: ReadonlySet<Subscription['phase']> = new Set(['trialing', 'active', 'free_tier']);

export function pause(state: Subscription, at: Instant): Decision {
  if (!PAUSABLE.has(state.phase)) return err('subscription_not_active');
  if (state.pausedAt !== null) return err('subscription_paused');
  return ok([{ type: 'paused', at }]);
}

/** The period in which service resumes is invoiced pro rata from that instant, unless it was invoiced before. */
export function resume(state: Subscription, at: Instant): Decision {
  if (state.pausedAt === null) return err('not_paused');
  const resumed: SubscriptionEvent[] = [{ type: 'resumed' }];
  return ok([...resumed, ...chargePeriod(evolveAll(state, resumed), at)]);
}

/** At the period's end only what runs in periods can end; everything else ends now. */
export function cancel(state: Subscription, at: Instant, atPeriodEnd: boolean): Decision {
  if (hasEnded(state)) return err('subscription_ended');
  if (atPeriodEnd && PAUSABLE.has(state.phase))
    return ok([{ type: 'cancel_scheduled', at: state.periodEnd }]);
  return ok([{ type: 'canceled', at }, ...withdrawals(state)]);
}

function withdrawals(state: Subscription): SubscriptionEvent[] {
  const events: SubscriptionEvent[] = [];
  if (state.phase === 'incomplete' || state.phase === 'trial_ended')
    events.push({ type: 'charge_withdrawn', purpose: 'activation' });
  if (state.waiting?.until === 'payment') events.push({ type: 'charge_withdrawn', purpose: 'change' });
  return events;
}

export interface ChangeCommand {
  readonly plan: SoldPlan;
  readonly discount: Discount | null;
  readonly at: Instant;
  readonly atPeriodEnd: boolean;
}

/**
 * An upgrade waits for its charge and then takes effect at once; a downgrade, and a change of interval, wait for the
 * end of the period; what costs nothing more changes now.
 */
export function changePlan(state: Subscription, command: ChangeCommand): Decision {
  const status = statusOf(state);
  if (status === 'warned' || status === 'suspended') return err('payment_past_due');
  if (!PAUSABLE.has(state.phase)) return err('subscription_not_active');
  if (state.pausedAt !== null) return err('subscription_paused');
  if (state.waiting?.until === 'payment') return err('change_pending');
  if (samePlan(state, command.plan)) return err('same_plan');
  return ok(change(state, command));
}

function samePlan(state: Subscription, plan: SoldPlan): boolean {
  return state.plan.key === plan.key && state.plan.version === plan.version && state.waiting === null;
}

function change(state: Subscription, command: ChangeCommand): SubscriptionEvent[] {
  const { plan, discount } = command;
  if (state.phase === 'trialing') return [{ type: 'plan_changed', plan, discount }];
  if (state.phase === 'free_tier') return buy(state, command);
  const difference = knownAmount(plan.terms.amount) - knownAmount(state.plan.terms.amount);
  const waits = command.atPeriodEnd || difference < 0n || plan.terms.interval !== intervalOf(state);
  const change = { plan, discount, until: 'period_end', carry: state.carry } as const;
  if (waits) return [{ type: 'change_awaited', change }];
  const period = { start: state.periodStart, end: state.periodEnd };
  return payFirst(state, command, difference, period);
}

/** From the free tier the whole first period is paid, and begins with the payment. */
function buy(state: Subscription, command: ChangeCommand): SubscriptionEvent[] {
  const { terms } = command.plan;
  const period = periodAt(command.at, terms.interval, 0, state.zone);
  const events = payFirst(state, command, knownAmount(terms.amount), period);
  const free = events.every((event) => event.type === 'plan_changed');
  return free ? [...events, { type: 'activated', start: period.start, end: period.end, paid: true }] : events;
}

function payFirst(
  state: Subscription,
  { plan, discount, at }: ChangeCommand,
  amount: bigint,
  period: { readonly start: Instant; readonly end: Instant },
): SubscriptionEvent[] {
  const basis = {
    purpose: 'change',
    anchor: at,
    period,
    from: at,
    amount,
    description: `Change to plan ${plan.key}`,
    currency: state.currency,
    zone: state.zone,
  } as const;
  const charge = chargeOf(basis, discount ?? state.discount, state.carry);
  if (charge.total === 0n) return [{ type: 'plan_changed', plan, discount }];
  return [
    { type: 'change_awaited', change: { plan, discount, until: 'payment', carry: charge.carry } },
    { type: 'charged', charge },
  ];
}
