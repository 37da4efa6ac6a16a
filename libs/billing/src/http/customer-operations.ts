import type { z } from 'zod';
import {
  autoTopUpAnswer,
  createdCustomerAnswer,
  customerAnswer,
  customersAnswer,
  flagsAnswer,
  invoiceAnswer,
  invoicesAnswer,
  paymentMethodAnswer,
  removedAnswer,
  removedAutoTopUpAnswer,
  shownCustomerAnswer,
  subscriptionAnswer,
  topUpAnswer,
} from './answers';
import { notFound, noSubscription, refused, topUpDeclined } from './refusals';

const CUSTOMER = {
  id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b96',
  key: 'acme',
  name: 'Acme',
  email: 'billing@acme.example',
  webhook: null,
  timezone: 'UTC',
  currency: 'USD',
  subjects: ['acme-1'],
  api_keys: [{ id: 'k1', subject: null, expires_at: null, revoked_at: null }],
  overdraft: {},
  parent_id: null,
  payer_id: null,
};
const FLAGS = { override: null, review: 'cleared' as const, approvals: {} };
const OVERRIDE = { state: 'allow' as const, author: 'ann', reason: 'waiting for a wire', until: null };
const METHOD = { set: 'ok', brand: 'visa', funding: 'credit' as const, expires: '2028-05' };

const SUBSCRIPTION = {
  id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b97',
  customer: 'acme',
  plan: 'payg',
  plan_version: 1,
  status: 'active' as const,
  started_at: '2026-03-01T00:00:00Z',
  period_start: '2026-03-01T00:00:00Z',
  period_end: '2026-04-01T00:00:00Z',
  trial_end: null,
  suspend_at: null,
  cancel_at: null,
  ended_at: null,
  paused_at: null,
  incomplete_reason: null,
  incomplete_until: null,
  next_plan: null,
};

const INVOICE = {
  id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b91',
  number: 1,
  kind: 'subscription' as const,
  status: 'paid' as const,
  currency: 'USD',
  total: '20',
  due: '0',
  lines: [{ amount: '20', description: 'Pro, March 2026' }],
  due_at: '2026-03-01T00:00:00Z',
  period_start: '2026-03-01T00:00:00Z',
  period_end: '2026-04-01T00:00:00Z',
  settled_at: '2026-03-01T00:00:01Z',
};

type Code = Parameters<typeof refused>[0]['code'];
/** Refusals as they are worded; `unknown_customer` is among those of every route here. */
const refusing = (...codes: readonly Code[]) => [...new Set(codes)].map((code) => refused({ code }));

const NO_CUSTOMER = notFound('customer');
const TAKEN = refused({ code: 'taken', what: ['api_keys'] });
const SUBSCRIBING = ['subscription_exists', 'unknown_plan', 'unknown_coupon'] as const;

/** Contracts of the routes about one customer; what they take is read from the handlers' own pipes. */
export const CUSTOMERS = {
  create: {
    id: 'createCustomer',
    summary: 'Creates a customer, with a key unless keys are given',
    body: {
      example: {
        key: 'acme',
        name: 'Acme',
        email: 'billing@acme.example',
        subjects: ['acme-1'],
        plan: 'payg',
      },
    },
    answer: createdCustomerAnswer,
    example: {
      ...CUSTOMER,
      api_keys: [{ id: 'k1', subject: null, expires_at: null, revoked_at: null, key: 'shown-once' }],
      subscription: SUBSCRIPTION,
    },
    refusals: [TAKEN, ...refusing('unknown_customer', 'payer_chain', ...SUBSCRIBING)],
  },
  list: {
    id: 'listCustomers',
    summary: 'Customers by key, a page at a time',
    description: 'The next page begins `after` what `next` says.',
    answer: customersAnswer,
    example: { customers: [CUSTOMER], next: null },
  },
  show: {
    id: 'getCustomer',
    summary: 'A customer and what administrators laid over its state',
    answer: shownCustomerAnswer,
    example: { ...CUSTOMER, ...FLAGS },
    refusals: [NO_CUSTOMER],
  },
  change: {
    id: 'changeCustomer',
    summary: 'Changes what is named, and nothing else',
    body: { example: { email: 'accounts@acme.example' } },
    answer: customerAnswer,
    example: { ...CUSTOMER, email: 'accounts@acme.example' },
    refusals: [TAKEN, ...refusing('unknown_customer', 'payer_chain')],
  },
  setKeys: {
    id: 'setConsumerKeys',
    summary: 'Sets the keys that the customer’s programs send to gateways',
    body: { example: { api_keys: [{ key: 'acme-secret-1', subject: 'acme-1' }] } },
    answer: customerAnswer,
    example: CUSTOMER,
    refusals: [TAKEN, ...refusing('unknown_customer')],
  },
  setMethod: {
    id: 'setPaymentMethod',
    summary: 'Stores the provider’s reference to a card, never the card',
    body: { example: METHOD },
    answer: paymentMethodAnswer,
    example: { customer: 'acme', id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b98', ...METHOD },
    refusals: [NO_CUSTOMER],
  },
  removeMethod: {
    id: 'removePaymentMethod',
    summary: 'Removes the payment method',
    answer: removedAnswer,
    example: { customer: 'acme', removed: true as const },
    refusals: [NO_CUSTOMER],
  },
  override: {
    id: 'setOverride',
    summary: 'Lets a customer pass whatever its billing state and limits of money say',
    body: { example: { until: '2026-03-08T00:00:00Z', author: 'ann', reason: 'waiting for a wire' } },
    answer: flagsAnswer,
    example: { customer: 'acme', ...FLAGS, override: OVERRIDE },
    refusals: [NO_CUSTOMER],
  },
  removeOverride: {
    id: 'removeOverride',
    summary: 'Ends an override',
    answer: flagsAnswer,
    example: { customer: 'acme', ...FLAGS },
    refusals: [NO_CUSTOMER],
  },
  review: {
    id: 'setReview',
    summary: 'Opens or clears a review, during which gates refuse',
    body: { example: { state: 'open' } },
    answer: flagsAnswer,
    example: { customer: 'acme', ...FLAGS, review: 'open' as const },
    refusals: [NO_CUSTOMER],
  },
};

const approving = (id: string, summary: string) => ({
  id,
  summary,
  description: 'With `feature`: of that feature; the answer then is the customer’s flags.',
  body: { example: {}, optional: true },
  answer: subscriptionAnswer.or(flagsAnswer),
  example: SUBSCRIPTION,
  refusals: [
    NO_CUSTOMER,
    ...refusing('unknown_customer', 'subscription_required', 'subscription_ended', 'not_pending_approval'),
  ],
});

const stepping = (id: string, summary: string, ...codes: readonly Code[]) => ({
  id,
  summary,
  body: { example: {}, optional: true },
  answer: subscriptionAnswer,
  example: SUBSCRIPTION,
  refusals: refusing('unknown_customer', 'subscription_required', 'subscription_ended', ...codes),
});

export const SUBSCRIPTIONS = {
  show: {
    id: 'getSubscription',
    summary: 'The customer’s subscription in force, or its last',
    answer: subscriptionAnswer,
    example: SUBSCRIPTION,
    refusals: [noSubscription()],
  },
  subscribe: {
    id: 'createSubscription',
    summary: 'Subscribes a customer to a plan',
    body: { example: { plan: 'payg' } },
    answer: subscriptionAnswer,
    example: SUBSCRIPTION,
    refusals: refusing('unknown_customer', ...SUBSCRIBING),
  },
  cancel: stepping('cancelSubscription', 'Ends it now or with the period'),
  pause: stepping(
    'pauseSubscription',
    'Stops access and new periods until it is resumed',
    'subscription_not_active',
    'subscription_paused',
  ),
  resume: stepping('resumeSubscription', 'Takes it up again', 'not_paused'),
  approve: approving('approveSubscription', 'Approves what waits for it'),
  reject: approving('rejectSubscription', 'Rejects what waits for approval'),
  change: {
    id: 'changePlan',
    summary: 'Changes the plan: an upgrade at once and charged, a downgrade at the period’s end',
    description: 'Declined: 402, and nothing changed.',
    body: { example: { plan: 'pro' } },
    answer: subscriptionAnswer,
    example: { ...SUBSCRIPTION, plan: 'pro' },
    statuses: { 200: 'Changed, or noted for the period’s end', 202: 'The charge has no outcome yet' },
    refusals: refusing(
      'unknown_customer',
      'unknown_plan',
      'unknown_coupon',
      'subscription_required',
      'subscription_ended',
      'subscription_not_active',
      'subscription_paused',
      'same_plan',
      'change_pending',
      'payment_past_due',
      'declined',
      'retry_forbidden',
      'payment_method_missing',
      'payment_open',
      'nothing_owed',
    ),
  },
};

const settling = <B>(id: string, summary: string, example: B, ...codes: readonly Code[]) => ({
  id,
  summary,
  body: { example, optional: true },
  answer: invoiceAnswer,
  example: INVOICE,
  refusals: refusing('unknown_customer', ...codes),
});

const PAYING = ['declined', 'retry_forbidden', 'payment_method_missing', 'payment_open'] as const;

export const INVOICES = {
  list: {
    id: 'listInvoices',
    summary: 'Invoices that the customer, or its payer, pays, oldest first',
    answer: invoicesAnswer,
    example: { invoices: [INVOICE] },
    refusals: [NO_CUSTOMER],
  },
  pay: {
    ...settling('payInvoice', 'Charges an unpaid invoice now', { through: 'api' }, 'nothing_owed', ...PAYING),
    statuses: { 200: 'Paid', 202: 'No outcome yet' },
  },
  forgive: settling('forgiveInvoice', 'Waives what is owed', {}, 'nothing_owed', 'amount_too_large'),
  externalPayment: settling(
    'recordExternalPayment',
    'Records money that came another way',
    { amount: '20' },
    'nothing_owed',
    'amount_too_large',
  ),
  writeOff: settling(
    'writeOffInvoice',
    'Gives an invoice up and closes the account',
    {},
    'nothing_owed',
    'whole_invoice_only',
  ),
  refund: settling(
    'refundInvoice',
    'Gives money back; with `reopen` it is owed again',
    { amount: '5', reopen: false },
    'nothing_captured',
    'amount_too_large',
  ),
};

const TOP_UP = {
  id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b9a',
  key: 't1',
  unit: 'USD',
  amount: '50',
  status: 'paid' as const,
  decline_code: null,
  paid_at: '2026-03-01T00:00:01Z',
  invoice: { ...INVOICE, kind: 'top_up' as const, total: '50' },
} satisfies z.input<typeof topUpAnswer>;

export const TOP_UPS = {
  buy: {
    id: 'createTopUp',
    summary: 'Buys credit',
    body: { example: { unit: 'USD', amount: '50', key: 't1' } },
    answer: topUpAnswer,
    example: TOP_UP,
    statuses: { 201: 'Paid', 202: 'No outcome yet' },
    refusals: [
      topUpDeclined('insufficient_funds', { ...TOP_UP, status: 'failed' }),
      ...refusing('unknown_customer', 'key_reused', 'not_payable', 'account_closed'),
    ],
  },
  set: {
    id: 'setAutoTopUp',
    summary: 'Buys credit by itself below a threshold',
    body: { example: { threshold: '10', amount: '50', cap: '200', per: 'month' } },
    answer: autoTopUpAnswer,
    example: {
      customer: 'acme',
      unit: 'USD',
      threshold: '10',
      amount: '50',
      target: null,
      cap: '200',
      per: 'month' as const,
      stopped_by: null,
      retry_at: null,
    },
    refusals: [NO_CUSTOMER],
  },
  remove: {
    id: 'removeAutoTopUp',
    summary: 'Ends the automatic top-up',
    answer: removedAutoTopUpAnswer,
    example: { customer: 'acme', unit: 'USD', removed: true as const },
    refusals: [notFound('automatic top-up')],
  },
};
