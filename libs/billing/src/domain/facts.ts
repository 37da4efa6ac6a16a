import type { CustomerFacts, InvoiceFacts, SubscriptionFacts } from '@tallygate/contracts';
import { formatAmount, formatInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { Customer } from './customer';
import type { Invoice } from './invoice';
import { statusOf } from './subscription';
import type { Subscription } from './subscription';

const instantOrNull = (at: Instant | null) => (at === null ? null : formatInstant(at));

/** A subscription as other services see it. */
export function subscriptionFacts(subscription: Subscription): SubscriptionFacts {
  const { plan, standing } = subscription;
  return {
    id: subscription.id,
    customerId: subscription.customerId,
    plan: plan.key,
    planVersion: plan.version,
    terms: plan.terms,
    status: statusOf(subscription),
    startedAt: formatInstant(subscription.startsAt),
    anchor: formatInstant(subscription.anchor),
    periodIndex: subscription.periodIndex,
    periodStart: formatInstant(subscription.periodStart),
    periodEnd: formatInstant(subscription.periodEnd),
    trialEnd: instantOrNull(subscription.trialEnd),
    suspendAt: instantOrNull(standing.suspendAt),
    cancelAt: instantOrNull(subscription.cancelAt),
    endedAt: instantOrNull(subscription.endedAt),
    pausedAt: instantOrNull(subscription.pausedAt),
    incompleteReason: subscription.incompleteReason,
    version: subscription.version,
  };
}

/** A draft has number 0: nobody owes it, and it is charged only when asked for. */
export function invoiceFacts(invoice: Invoice): InvoiceFacts {
  return {
    id: invoice.id,
    number: invoice.number ?? 0,
    customerId: invoice.customerId,
    payerId: invoice.payerId,
    kind: invoice.kind,
    currency: invoice.currency,
    total: formatAmount(invoice.total),
    due: formatAmount(invoice.due),
    anchor: formatInstant(invoice.anchor),
    status: invoice.status,
    subscriptionId: invoice.subscriptionId,
    dunningPolicy: invoice.dunningPolicy,
    interval: invoice.interval,
    version: invoice.version,
  };
}

/** Customer and facts have one shape today; the function keeps storage from leaking when they part. */
export function customerFacts(customer: Customer): CustomerFacts {
  return { ...customer };
}
