import { invalid, problem } from '@tallygate/platform';
import type { ProblemException } from '@tallygate/platform';
import type { BudgetRefusal } from '../service/budgets.service';
import type { CustomerRefusal } from '../service/customers.service';
import type { RatedRows } from '../service/ports';
import type { PaymentRefusal } from '../service/payments.service';
import type { ClockRefusal } from '../service/test-clock.service';
import type { TopUpRefusal } from '../service/top-ups.service';

type Code = (CustomerRefusal | PaymentRefusal)['code'] | TopUpRefusal;

interface Wording {
  readonly status: number;
  readonly title: string;
  /** On the wire where it differs from the refusal's own name. */
  readonly code?: string;
}

/** One HTTP answer for each refusal: 402 is money, 409 the state of things, 422 the request. */
const WORDINGS: Readonly<Record<Code, Wording>> = {
  unknown_customer: { status: 404, title: 'There is no such customer' },
  taken: { status: 409, title: 'A name in the request belongs to another customer' },
  payer_chain: { status: 422, title: 'A payer must pay for itself' },
  unknown_plan: { status: 422, title: 'The catalog has no such plan' },
  unknown_coupon: { status: 422, title: 'The catalog has no such coupon' },
  subscription_exists: { status: 409, title: 'The customer has a subscription that has not ended' },
  subscription_required: { status: 409, title: 'The customer has no subscription' },
  subscription_ended: { status: 409, title: 'The subscription has ended' },
  subscription_not_active: { status: 409, title: 'The subscription is in no state for that' },
  subscription_paused: { status: 409, title: 'The subscription is paused' },
  not_paused: { status: 409, title: 'The subscription is not paused' },
  not_pending_approval: { status: 409, title: 'Nothing waits for an approval' },
  same_plan: { status: 409, title: 'The subscription has this plan' },
  change_pending: { status: 409, title: 'Another change of plan waits for its payment' },
  payment_past_due: {
    status: 402,
    title: 'Unpaid invoices must be paid first',
    code: 'PAYMENT_PAST_DUE',
  },
  declined: { status: 402, title: 'The payment was declined', code: 'payment_declined' },
  retry_forbidden: { status: 402, title: 'This card must not be charged again now' },
  payment_method_missing: {
    status: 402,
    title: 'There is no payment method',
    code: 'payment_method_required',
  },
  payment_open: { status: 409, title: 'A payment of this invoice is open' },
  nothing_owed: { status: 409, title: 'Nothing is owed' },
  nothing_captured: { status: 409, title: 'Nothing was captured that could be given back' },
  amount_too_large: { status: 422, title: 'The amount is larger than the invoice has' },
  whole_invoice_only: { status: 422, title: 'An invoice is written off whole' },
  key_reused: { status: 422, title: 'This key names another top-up', code: 'idempotency_key_reused' },
  not_payable: { status: 422, title: 'The amount is not payable in its currency' },
  account_closed: { status: 403, title: 'The account is closed' },
};

/** The problem to throw for a refusal; its other members explain it. */
export function refused({
  code,
  ...rest
}: {
  readonly code: Code;
  readonly [about: string]: unknown;
}): ProblemException {
  const { status, title, code: shown = code } = WORDINGS[code];
  const extra = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [
      name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`),
      value,
    ]),
  );
  return problem(status, shown, title, extra);
}

/** The charge's decline code, and the top-up as it ended. */
export function topUpDeclined(declineCode: string | null, topUp: object): ProblemException {
  const about = { decline_code: declineCode, top_up: topUp };
  return problem(402, 'payment_declined', 'The payment was declined', about);
}

/** A price row in the charged past; each row with what it would change. */
export function usageRated(rated: RatedRows): ProblemException {
  return problem(409, 'usage_rated', 'The price row would change usage that was rated already', {
    detail: rated.map(({ key, feature, earliest }) => `${key}: ${feature} at ${earliest}`).join('; '),
    faults: rated.map(({ key, from, feature, earliest }) => ({
      field: `prices.${key}.from`,
      value: from,
      problem: `usage of ${feature} at ${earliest} and later was charged by another row`,
      fix: 'let the row start after the usage that was charged, or leave from out to start now',
    })),
  });
}

export const ledgerUnreachable = () =>
  problem(503, 'ledger_unreachable', 'The ledger did not answer, so nothing was changed', {
    detail: 'A price row that says from when it holds needs the ledger. Repeat the request.',
  });

export const reratingNotSupported = () =>
  problem(422, 'rerating_not_supported', 'What was charged cannot be charged anew', {
    detail: 'Leave rerate out. A row that would change usage that was charged is refused.',
  });

export const noSubscription = () => problem(404, 'no_subscription', 'The customer never had a subscription');

export const notYaml = (detail: string | undefined) =>
  problem(400, 'not_yaml', 'The body is not YAML', { detail });

export function budgetRefused(refusal: BudgetRefusal): ProblemException {
  return refusal.code === 'no_unit' ? invalid([refusal.fault]) : refused(refusal);
}

export function clockRefusal(code: ClockRefusal, to: string | null): ProblemException {
  if (code === 'no_test_clock') return problem(409, code, 'This tenant has no virtual clock');
  if (code === 'clock_moving') return problem(409, code, 'The clock is moving already');
  return invalid([
    { field: 'to', value: to, problem: 'lies before the present', fix: 'name a later instant' },
  ]);
}

export function notFound(what: string): ProblemException {
  return problem(404, 'not_found', `There is no such ${what}`);
}
