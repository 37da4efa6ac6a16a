import type {
  CollectionFacts,
  CustomerFacts,
  LotFacts,
  PaymentMethodFacts,
  SubscriptionFacts,
} from '@tallygate/contracts';
import { type Instant, addCalendar, formatInstant, fromLocal, parseInstant } from '@tallygate/kernel';
import { CARD_LEADS, type LeadTime, SUSPENSION_LEADS } from './rules';
import type { Plan, Planned, Reminder, Stage } from './notice';

/** A customer has one card that is charged, and one standing as a payer. */
export const CARD = 'card';
export const STANDING = 'standing';

type Announced = Omit<Reminder, 'stage' | 'threshold' | 'dueAt' | 'endsAt'>;

/** A reminder at each lead time before an event that is still ahead. */
function before(
  endsAt: Instant,
  leads: readonly LeadTime[],
  zone: string,
  now: Instant,
  notice: Announced,
): readonly Reminder[] {
  if (endsAt <= now) return [];
  return leads.map(({ text, before: lead }) => {
    const dueAt = addCalendar(endsAt, { months: -lead.months, days: -lead.days, micros: -lead.micros }, zone);
    return { ...notice, stage: `${text}@${formatInstant(endsAt)}`, threshold: text, dueAt, endsAt };
  });
}

/**
 * What stays planned: stages yet to come, and stages that came due since they were planned and were not said yet. A
 * stage that was past when its event became known is not said late.
 * @param planned stages that wait now
 */
export function toPlan(
  reminders: readonly Reminder[],
  planned: ReadonlySet<string>,
  now: Instant,
): readonly Reminder[] {
  return reminders.filter(({ stage, dueAt }) => dueAt > now || planned.has(stage));
}

/**
 * What becomes of several things' reminders when they are planned anew in this order; a thing may be planned repeatedly.
 * @param waiting stages that wait now
 */
export function replan(
  waiting: readonly Stage[],
  plans: readonly Plan[],
  now: Instant,
): { readonly keep: readonly Reminder[]; readonly forget: readonly Stage[] } {
  const stages = new Map<string, Set<string>>();
  for (const one of waiting) stages.set(thingOf(one), (stages.get(thingOf(one)) ?? new Set()).add(one.stage));
  const kept = new Map<string, readonly Reminder[]>();
  for (const plan of plans) {
    const thing = thingOf(plan);
    const stays = toPlan(plan.reminders, stages.get(thing) ?? new Set(), now);
    kept.set(thing, stays);
    stages.set(thing, new Set(stays.map(({ stage }) => stage)));
  }
  const forget = waiting.filter((one) => stages.get(thingOf(one))?.has(one.stage) === false);
  return { keep: [...kept.values()].flat(), forget };
}

function thingOf({ customerId, kind, source }: Planned): string {
  return `${customerId} ${kind} ${source}`;
}

/** Of several that came due together, as after an outage, only the latest is said; none once its event has passed. */
export function latestDue(due: readonly Reminder[], now: Instant): Reminder | null {
  return due
    .filter(({ endsAt }) => endsAt > now)
    .reduce<Reminder | null>((last, one) => (last === null || one.dueAt > last.dueAt ? one : last), null);
}

/** Credit that will end with something left. */
export function grantReminders(
  lot: LotFacts,
  leads: readonly LeadTime[],
  zone: string,
  now: Instant,
): readonly Reminder[] {
  const ends = lot.expiresAt === null ? null : instantOf(lot.expiresAt);
  if (ends === null || (lot.status !== 'active' && lot.status !== 'pending') || lot.remaining === '0')
    return [];
  const details = { unit: lot.unit, remaining: lot.remaining, expires_at: lot.expiresAt! };
  return before(ends, leads, zone, now, {
    kind: 'grant_expiring',
    customerId: lot.customerId,
    subject: lot.grantKey,
    source: lot.grantId,
    details,
  });
}

/** The end of a trial. */
export function trialReminders(
  subscription: SubscriptionFacts,
  leads: readonly LeadTime[],
  zone: string,
  now: Instant,
): readonly Reminder[] {
  if (subscription.status !== 'trialing' || subscription.trialEnd === null) return [];
  const { customerId, plan: subject, trialEnd } = subscription;
  return before(instantOf(trialEnd), leads, zone, now, {
    kind: 'trial_ending',
    customerId,
    subject,
    source: subscription.id,
    details: { trial_end: trialEnd },
  });
}

/** A fee that will be charged. */
export function renewalReminders(
  subscription: SubscriptionFacts,
  leads: readonly LeadTime[],
  zone: string,
  now: Instant,
): readonly Reminder[] {
  const { customerId, plan: subject, periodEnd, terms, cancelAt, pausedAt, status } = subscription;
  if (status !== 'active' || terms.amount === '0' || cancelAt !== null || pausedAt !== null) return [];
  const details = { amount: terms.amount, currency: terms.currency ?? '', period_end: periodEnd };
  return before(instantOf(periodEnd), leads, zone, now, {
    kind: 'renewal_upcoming',
    customerId,
    subject,
    source: subscription.id,
    details,
  });
}

/** A card ends with its month, on the customer's calendar. */
export function cardReminders(
  method: PaymentMethodFacts | null,
  customer: CustomerFacts,
  now: Instant,
): readonly Reminder[] {
  const [, year, month] = /^(\d{4})-(\d{2})$/.exec(method?.expires ?? '') ?? [];
  if (!method || year === undefined) return [];
  const next = Number(year) * 12 + Number(month);
  const midnight = { day: 1, hour: 0, minute: 0, second: 0, micros: 0 };
  const ends = fromLocal(
    { year: Math.floor(next / 12), month: (next % 12) + 1, ...midnight },
    customer.timezone,
  );
  const details = { brand: method.brand, expires: method.expires! };
  return before(ends, CARD_LEADS, customer.timezone, now, {
    kind: 'card_expiring',
    customerId: customer.id,
    subject: method.label,
    source: CARD,
    details,
  });
}

/** A suspension that was announced and is still ahead. */
export function suspensionReminders(
  collection: CollectionFacts,
  zone: string,
  now: Instant,
): readonly Reminder[] {
  const { state, suspendAt, anchor, customerId } = collection;
  if (state !== 'warned' || suspendAt === null || anchor === null) return [];
  const notice = {
    kind: 'suspension_scheduled' as const,
    customerId,
    subject: anchor,
    source: STANDING,
    details: { suspend_at: suspendAt },
  };
  return before(instantOf(suspendAt), SUSPENSION_LEADS, zone, now, notice);
}

/** Facts carry instants as text that our own services wrote. */
export function instantOf(text: string): Instant {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new TypeError(`"${text}" is not an instant`);
  return parsed.value;
}
