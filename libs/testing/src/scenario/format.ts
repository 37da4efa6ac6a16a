import { z } from 'zod';
import {
  catalogSchema,
  durationText,
  instantText,
  keyText,
  priceSchema,
  zoneText,
} from '@tallygate/contracts';

/** Amounts may be quoted decimals; a bare YAML integer reads the same. */
const amount = z.union([z.string(), z.int()]).transform(String);
const text = z.union([z.string(), z.number()]).transform(String);
const moment = z.union([
  instantText,
  z.string().regex(/^\d{4}-\d{2}-\d{2}$/, { error: 'not an instant or a date' }),
]);
const which = z.union([z.enum(['oldest', 'newest']), z.int().positive()]);
const gate = z.enum(['nginx', 'caddy', 'envoy', 'haproxy', 'agent', 'sdk']);
const rollover = z.strictObject({ min: amount.optional(), max: amount.optional() });

const apiKey = z.union([
  z.string(),
  z.strictObject({ key: z.string(), expires_at: moment.optional(), revoked_at: moment.optional() }),
]);

const paymentMethod = {
  set: z.string().optional(),
  brand: z.enum(['visa', 'mastercard']).optional(),
  funding: z.enum(['credit', 'debit']).optional(),
  expires: z
    .string()
    .regex(/^\d{4}-\d{2}$/, { error: 'not a month such as 2026-05' })
    .optional(),
};

const customerFields = {
  key: keyText,
  name: z.string().optional(),
  email: z.string().optional(),
  webhook: z.boolean().optional(),
  timezone: zoneText.optional(),
  currency: z.string().optional(),
  subjects: z.array(text).optional(),
  api_keys: z.array(apiKey).optional(),
  plan: keyText.optional(),
  payment_method: z
    .union([z.string().transform((set) => ({ set })), z.strictObject(paymentMethod)])
    .optional(),
  parent: keyText.optional(),
  payer: keyText.optional(),
  overdraft: z.record(z.string(), amount).optional(),
};

const requestFields = {
  customer: keyText.optional(),
  subject: text.optional(),
  api_key: z.string().optional(),
  feature: keyText.optional(),
  features: z.array(keyText).optional(),
  units: amount.optional(),
  max_price: amount.optional(),
  count: z.int().positive().optional(),
  open: z.string().optional(),
  gate: gate.optional(),
};

const customer = { customer: keyText };
const money = { ...customer, unit: z.string(), amount, key: text };
const onInvoice = { ...customer, invoice: which.optional(), amount: amount.optional() };
const reversal = {
  ...customer,
  invoice: which.optional(),
  top_up: text.optional(),
  amount: amount.optional(),
};
const nothing = z.strictObject(customer);

/** Every verb of the format with its fields. `null` instead of a schema: part of the format, not supported yet. */
export const VERBS = {
  usage: z.strictObject({
    customer: keyText.optional(),
    subject: text.optional(),
    type: z.string(),
    data: z.record(z.string(), z.unknown()).optional(),
    id: text.optional(),
    source: z.string().optional(),
    time: moment.optional(),
    count: z.int().positive().optional(),
    via: z.enum(['http', 'kafka']).optional(),
  }),
  correct: z.strictObject({
    source: z.string().optional(),
    id: text,
    data: z.record(z.string(), z.unknown()).optional(),
    reverse: z.boolean().optional(),
  }),
  grant: z.strictObject({
    ...money,
    priority: z.int().optional(),
    kind: z.enum(['promotional', 'paid']).optional(),
    effective_at: moment.optional(),
    expires_at: moment.optional(),
    features: z.array(keyText).optional(),
    recurrence: z.strictObject({ every: durationText, anchor: moment.optional() }).optional(),
    rollover: rollover.optional(),
  }),
  void_grant: z.strictObject({ key: text }),
  debit: z.strictObject({ ...money, feature: keyText.optional() }),
  hold: z.strictObject({ ...money, ttl: durationText, feature: keyText.optional() }),
  capture: z.strictObject({ key: text, amount: amount.optional() }),
  release: z.strictObject({ key: text }),
  top_up: z.strictObject({
    ...customer,
    unit: z.string(),
    amount: amount.optional(),
    key: text.optional(),
    auto: z
      .strictObject({
        threshold: amount,
        amount: amount.optional(),
        target: amount.optional(),
        cap: amount.optional(),
        per: z.string().optional(),
      })
      .optional(),
  }),
  reset: z.strictObject({
    ...customer,
    feature: keyText,
    at: moment.optional(),
    keep_overage: z.boolean().optional(),
    keep_anchor: z.boolean().optional(),
  }),
  budget: z.strictObject({
    ...customer,
    feature: keyText,
    day: amount.optional(),
    month: amount.optional(),
    remove: z.boolean().optional(),
  }),
  price: priceSchema.partial({ model: true, unit: true }),
  customer: z.strictObject(customerFields),
  subscribe: z.strictObject({
    ...customer,
    plan: keyText,
    starts_at: moment.optional(),
    trial_days: z.int().min(0).optional(),
    coupon: keyText.optional(),
  }),
  change_plan: z.strictObject({
    ...customer,
    plan: keyText,
    at_period_end: z.boolean().optional(),
    coupon: keyText.optional(),
  }),
  cancel: z.strictObject({ ...customer, at_period_end: z.boolean().optional() }),
  pause: nothing,
  resume: nothing,
  approve: z.strictObject({ ...customer, feature: keyText.optional() }),
  reject: z.strictObject({ ...customer, feature: keyText.optional() }),
  payment_method: z.strictObject({ ...customer, ...paymentMethod, remove: z.boolean().optional() }),
  provider: z.strictObject({
    customer: z.string(),
    next: z.array(z.string()).optional(),
    then: z.string().optional(),
  }),
  provider_event: z.strictObject({
    ...customer,
    hold: z.boolean().optional(),
    deliver: z.array(z.string()).optional(),
    drop: z.array(z.string()).optional(),
    duplicate: z.int().positive().optional(),
    mode: z.enum(['test', 'live']).optional(),
    secret: z.enum(['right', 'wrong']).optional(),
  }),
  authenticate: z.strictObject({ ...customer, outcome: z.enum(['done', 'abandoned']) }),
  chargeback: z.strictObject({ ...reversal, state: z.enum(['open', 'won', 'lost']).optional() }),
  refund: z.strictObject({ ...reversal, reopen: z.boolean().optional() }),
  external_payment: z.strictObject(onInvoice),
  forgive: z.strictObject(onInvoice),
  write_off: z.strictObject(onInvoice),
  pay: z.strictObject({
    ...customer,
    invoice: which.optional(),
    through: z.enum(['hosted', 'api']).optional(),
  }),
  override: z.strictObject({
    ...customer,
    state: z.literal('allow').optional(),
    until: moment.optional(),
    author: z.string().optional(),
    reason: z.string().optional(),
    remove: z.boolean().optional(),
  }),
  review: z.strictObject({ ...customer, state: z.enum(['open', 'cleared']) }),
  request: z.strictObject(requestFields),
  finish: z.strictObject({ open: z.string() }),
  preflight: z.strictObject(requestFields),
  service: z.strictObject({
    stop: z.string().optional(),
    start: z.string().optional(),
    cut: z.string().optional(),
    join: z.string().optional(),
  }),
  smtp: z.enum(['down', 'up']),
  receiver: z.enum(['down', 'up']),
  catalog: catalogSchema,
  erase: nothing,
} as const;
export type Verb = keyof typeof VERBS;

const free = z.unknown();
const about = (...keys: string[]) =>
  z.strictObject(Object.fromEntries(keys.map((key) => [key, free.optional()])));

/** Every expectation of the format with its keys; values may be matchers, so their types are left to the match. */
export const EXPECTATIONS = {
  wallet: about('customer', 'unit', 'available', 'held', 'debt', 'grants', 'at', 'known_at'),
  entries: about('customer', 'unit', 'list'),
  usage: about(
    'customer',
    'meter',
    'from',
    'to',
    'window',
    'timezone',
    'group_by',
    'filter',
    'value',
    'rows',
  ),
  entitlement: about(
    'customer',
    'feature',
    'allowed',
    'reason',
    'used',
    'remaining',
    'included',
    'resets_at',
  ),
  subscription: about('customer', 'status', 'plan', 'suspend_at', 'period_start', 'period_end', 'trial_end'),
  invoices: about('customer', 'list'),
  attempts: about('customer', 'list'),
  captures: about('customer', 'list', 'total'),
  notices: about('customer', 'kind', 'list'),
  emails: about('customer', 'kind', 'list'),
  webhooks: about('customer', 'kind', 'list'),
  decision: about('customer', 'feature', 'features', 'units', 'at', 'status', 'reason'),
  parked: about('list'),
  dead_letters: about('list'),
  alerts: about('list'),
  gates: about('digest', 'unknown'),
  audit: about('wrong_402', 'checked'),
  journal: about('balanced', 'chain'),
} as const;
export type Expectation = keyof typeof EXPECTATIONS;

/** What `expect` may say about a verb's own answer. */
export const ANSWER_KEYS = ['status', 'code'] as const;
export const USAGE_ANSWER_KEYS = ['status', 'code', 'faults'] as const;
export const REQUEST_ANSWER_KEYS = [
  'status',
  'code',
  'reason',
  'count_allowed',
  'count_denied',
  'violated',
  'body',
  'headers',
] as const;

export const STEP_KEYS = ['at', 'after', 'expect', 'parallel', 'repeat'] as const;

export const headSchema = z.strictObject({
  scenario: z.string(),
  about: z.string().optional(),
  must_fail: z.string().optional(),
  clock: moment,
  timezone: zoneText.default('UTC'),
  currency: z.string().length(3).default('USD'),
  settings: z
    .strictObject({
      lateness: durationText.optional(),
      dedup_window: durationText.optional(),
      disclose_balance: z.boolean().optional(),
      disclose_price: z.boolean().optional(),
    })
    .default({}),
  catalog: catalogSchema.default(() => catalogSchema.parse({})),
  customers: z.array(z.strictObject(customerFields)).default([]),
  steps: z.array(z.unknown()).default([]),
});
export type Head = z.output<typeof headSchema>;
export type CustomerSpec = Head['customers'][number];
export const stepTimes = { at: moment, after: durationText };
