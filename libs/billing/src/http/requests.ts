import {
  POSITIVE_AMOUNT_SHAPE,
  amountText,
  catalogSchema,
  exactTermText,
  instantText,
  keyText,
  plannedInstantText,
  priceSchema,
  zoneText,
} from '@tallygate/contracts';
import { formatAmount, invariant, parseAmount, parseInstant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { SCOPES, wholeNumber } from '@tallygate/platform';
import { z } from 'zod';

/** Bodies of billing's routes. Unknown fields are refused by name: a misspelt option must not be ignored. */
const instant = instantText.transform((text): Instant => {
  const parsed = parseInstant(text);
  invariant(parsed.ok, 'The pattern admits instants only');
  return parsed.value;
});
const planned = plannedInstantText.transform((text): Instant => {
  const parsed = parseInstant(text);
  invariant(parsed.ok, 'The pattern admits instants only');
  return parsed.value;
});
const nano = (text: string): Nano => {
  const parsed = parseAmount(text);
  invariant(parsed.ok, 'The pattern admits amounts only');
  return parsed.value;
};
const amount = amountText.transform(nano);
const positive = amountText
  .meta({ ...POSITIVE_AMOUNT_SHAPE, examples: [...POSITIVE_AMOUNT_SHAPE.examples] })
  .transform(nano)
  .refine((value) => value > 0n, 'must be above 0');
const currency = z.string().regex(/^[A-Z]{3}$/, 'is not a currency code such as USD');
const text = z.string().min(1).max(255);
const link = z.url().nullable();

export const tenantBody = z
  .strictObject({
    name: text,
    mode: z.enum(['test', 'live']).default('test'),
    timezone: zoneText.default('UTC'),
    currency: currency.default('USD'),
    clock: planned.nullish(),
    settings: z
      .strictObject({
        lateness: exactTermText.optional(),
        dedup_window: exactTermText.optional(),
        disclose_balance: z.boolean().optional(),
        disclose_price: z.boolean().optional(),
        portal_url: link.optional(),
        docs_url: link.optional(),
        statuses: z
          .strictObject({
            upgrade_required: z.literal([402, 403]).optional(),
            quota_exceeded: z.literal([402, 429]).optional(),
          })
          .optional(),
      })
      .default({}),
  })
  .refine(({ mode, clock }) => mode === 'test' || clock == null, {
    path: ['clock'],
    message: 'only a test tenant has a virtual clock',
  });

export const apiKeyBody = z.strictObject({ scopes: z.array(z.enum(SCOPES)).min(1) });
export const introspectBody = z.strictObject({
  hash: z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in hex'),
});

export const catalogBody = catalogSchema;
export const priceBody = priceSchema
  .partial({ unit: true, model: true, match: true })
  .extend({ rerate: z.boolean().default(false) });

const paymentMethod = z.strictObject({
  set: z
    .string()
    .min(1)
    .max(200)
    .refine((value) => !/\d{12,19}/.test(value.replace(/[ -]/g, '')), {
      message: 'looks like a card number; send the provider\u2019s reference, never the card',
    }),
  brand: z.string().min(1).max(40).default('visa'),
  funding: z.enum(['credit', 'debit']).default('credit'),
  expires: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'is not a month such as 2026-05')
    .nullish()
    .transform((month) => month ?? null),
});
export const paymentMethodBody = paymentMethod;

const apiKey = z
  .union([
    text.transform((key) => ({ key })),
    z.strictObject({
      key: text,
      subject: text.nullish(),
      expires_at: instantText.nullish(),
      revoked_at: instantText.nullish(),
    }),
  ])
  .transform((given) => ({
    key: given.key,
    subject: ('subject' in given && given.subject) || null,
    expiresAt: ('expires_at' in given && given.expires_at) || null,
    revokedAt: ('revoked_at' in given && given.revoked_at) || null,
  }));
const apiKeys = z.array(apiKey).max(100);

const details = {
  name: z.string().max(200).nullish(),
  email: z.email().nullish(),
  webhook: z
    .url({ protocol: /^https?$/ })
    .meta({ pattern: '^https?://' })
    .nullish(),
  timezone: zoneText.optional(),
  currency: currency.optional(),
  subjects: z.array(text).max(1000).optional(),
  parent: keyText.nullish(),
  payer: keyText.nullish(),
  overdraft: z.record(z.string().min(1).max(32), amountText).optional(),
};
/** Checked by the pipe, which names the fault of each member; a union would only say that nothing fits. */
const { $schema: _, ...methodShape } = z.toJSONSchema(paymentMethod, { io: 'input' });
const methodOrText = z
  .union([text.transform((set) => ({ set })), z.looseObject({}).meta(methodShape)])
  .pipe(paymentMethod)
  .optional();

export const customerBody = z.strictObject({
  key: keyText,
  ...details,
  api_keys: apiKeys.optional(),
  plan: keyText.optional(),
  payment_method: methodOrText,
});
export const customerPatch = z.strictObject({
  key: keyText.optional(),
  ...details,
  api_keys: apiKeys.optional(),
  payment_method: methodOrText,
});
export const apiKeysBody = z.strictObject({ api_keys: apiKeys });

export const subscribeBody = z.strictObject({
  plan: keyText,
  starts_at: planned.nullish(),
  trial_days: z.int().min(0).max(3650).nullish(),
  coupon: keyText.nullish(),
});
export const changeBody = z.strictObject({
  plan: keyText,
  at_period_end: z.boolean().default(false),
  coupon: keyText.nullish(),
});
export const cancelBody = z.strictObject({ at_period_end: z.boolean().default(false) }).prefault({});
export const approvalBody = z.strictObject({ feature: keyText.optional() }).prefault({});
export const noBody = z.strictObject({}).prefault({});

export const payBody = z.strictObject({ through: z.enum(['api', 'hosted']).default('api') }).prefault({});
export const amountBody = z.strictObject({ amount: positive.nullish() }).prefault({});
export const refundBody = z
  .strictObject({ amount: positive.nullish(), reopen: z.boolean().default(false) })
  .prefault({});
export const which = z.union([
  z.enum(['oldest', 'newest']),
  z
    .string()
    .regex(/^[1-9]\d{0,8}$/)
    .transform(Number),
]);

const budget = amountText
  .meta({ ...POSITIVE_AMOUNT_SHAPE, description: 'A decimal of at least 0 with at most 9 decimals' })
  .transform(nano)
  .refine((value) => value >= 0n, 'must not be below 0')
  .nullish()
  .transform((value) => (value == null ? null : formatAmount(value)));
export const budgetBody = z
  .strictObject({ day: budget, month: budget })
  .refine(({ day, month }) => day !== null || month !== null, {
    path: ['day'],
    message: 'day or month is needed; DELETE removes a budget',
  });

export const unitText = z.string().min(1).max(32);
export const topUpBody = z.strictObject({
  unit: unitText,
  amount: positive,
  key: text.optional(),
});
export const autoTopUpBody = z
  .strictObject({
    threshold: amount,
    amount: positive.nullish(),
    target: positive.nullish(),
    cap: positive.nullish(),
    per: z.enum(['hour', 'day', 'week', 'month', 'year']).nullish(),
  })
  .refine((rule) => rule.amount != null || rule.target != null, {
    path: ['amount'],
    message: 'amount (the increment) or target is needed',
  })
  .refine((rule) => (rule.cap == null) === (rule.per == null), {
    path: ['per'],
    message: 'cap and per go together',
  });

export const overrideBody = z.strictObject({
  state: z.literal('allow').default('allow'),
  until: instant.nullish(),
  author: text.default('operator'),
  reason: z.string().max(1000).default(''),
});
export const reviewBody = z.strictObject({ state: z.enum(['open', 'cleared']) });
export const advanceBody = z.strictObject({ to: planned });
export const limitQuery = z.strictObject({ limit: wholeNumber(1, 1000).prefault('100') });
export const pageQuery = limitQuery.extend({
  after: z.string().max(255).default('').meta({ description: 'The key that the page before ended with' }),
});
