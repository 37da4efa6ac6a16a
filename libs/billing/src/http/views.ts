import { formatAmount, formatInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { AutoTopUp, Customer, Flags, Invoice, Subscription, Tenant, TopUp } from '../domain';
import { statusOf } from '../domain';

/** What billing's routes answer: snake_case, amounts as decimal texts, instants in RFC 3339. */
const instant = (at: Instant | null) => (at === null ? null : formatInstant(at));

export function tenantView({ id, name, mode, timezone, currency, clock, settings }: Tenant) {
  return {
    id,
    name,
    mode,
    timezone,
    currency,
    clock,
    settings: {
      lateness: settings.lateness,
      dedup_window: settings.dedupWindow,
      disclose_balance: settings.discloseBalance,
      disclose_price: settings.disclosePrice,
      portal_url: settings.portalUrl,
      docs_url: settings.docsUrl,
      ...(settings.statuses === undefined ? {} : { statuses: settings.statuses }),
    },
  };
}

/** Keys are shown by id and state; the secret is not known here. */
export function customerView(customer: Customer) {
  return {
    id: customer.id,
    key: customer.key,
    name: customer.name,
    email: customer.email,
    webhook: customer.webhookUrl,
    timezone: customer.timezone,
    currency: customer.currency,
    subjects: customer.subjects,
    api_keys: customer.apiKeys.map((key) => ({
      id: key.id,
      subject: key.subject,
      expires_at: key.expiresAt,
      revoked_at: key.revokedAt,
    })),
    overdraft: customer.overdraft,
    parent_id: customer.parentId,
    payer_id: customer.payerId,
  };
}

export function subscriptionView(subscription: Subscription, customer: string) {
  const { plan, waiting } = subscription;
  return {
    id: subscription.id,
    customer,
    plan: plan.key,
    plan_version: plan.version,
    status: statusOf(subscription),
    started_at: formatInstant(subscription.startsAt),
    period_start: formatInstant(subscription.periodStart),
    period_end: formatInstant(subscription.periodEnd),
    trial_end: instant(subscription.trialEnd),
    suspend_at: instant(subscription.standing.suspendAt),
    cancel_at: instant(subscription.cancelAt),
    ended_at: instant(subscription.endedAt),
    paused_at: instant(subscription.pausedAt),
    incomplete_reason: subscription.incompleteReason,
    incomplete_until: instant(subscription.incompleteUntil),
    next_plan: waiting === null ? null : { plan: waiting.plan.key, at: waiting.until },
  };
}

export function invoiceView(invoice: Invoice) {
  return {
    id: invoice.id,
    number: invoice.number,
    kind: invoice.kind,
    status: invoice.status,
    currency: invoice.currency,
    total: formatAmount(invoice.total),
    due: formatAmount(invoice.due),
    lines: invoice.lines.map((line) => ({
      amount: formatAmount(line.amount),
      description: line.description,
    })),
    due_at: formatInstant(invoice.anchor),
    period_start: instant(invoice.periodStart),
    period_end: instant(invoice.periodEnd),
    settled_at: instant(invoice.settledAt),
  };
}

export function topUpView(topUp: TopUp, invoice: Invoice) {
  return {
    id: topUp.id,
    key: topUp.key,
    unit: topUp.unit,
    amount: formatAmount(topUp.amount),
    status: topUp.status,
    decline_code: topUp.declineCode,
    paid_at: instant(topUp.paidAt),
    invoice: invoiceView(invoice),
  };
}

export function autoTopUpView(rule: AutoTopUp) {
  const amount = (value: bigint | null) => (value === null ? null : formatAmount(value));
  return {
    unit: rule.unit,
    threshold: formatAmount(rule.threshold),
    amount: amount(rule.increment),
    target: amount(rule.target),
    cap: amount(rule.cap),
    per: rule.per,
    stopped_by: rule.stoppedBy,
    retry_at: instant(rule.retryAt),
  };
}

export function flagsView({ override, underReview, approvals }: Flags) {
  return {
    override:
      override === null
        ? null
        : {
            state: 'allow' as const,
            author: override.author,
            reason: override.reason,
            until: instant(override.until),
          },
    review: underReview ? ('open' as const) : ('cleared' as const),
    approvals,
  };
}
