import { z } from 'zod';
import { isTimeZone, parseAmount, parseDuration, parseInstant } from '@tallygate/kernel';
import { parsePath } from './path';

/** Texts that stay texts on the wire, checked by the kernel's parsers. */
const checked = (what: string, parse: (text: string) => { ok: boolean }) =>
  z
    .string()
    .refine((text) => parse(text).ok, { error: (issue) => `"${String(issue.input)}" is not ${what}` });

export const amountText = checked('a decimal amount with at most 9 decimals, such as "0.002"', parseAmount);
export const durationText = checked(
  'a duration, such as "90s", "5m", "2h", "3d", "2w", "1mo", "1y" or "1d2h"',
  parseDuration,
);
export const instantText = checked('an RFC 3339 instant, such as "2026-03-01T00:00:00Z"', parseInstant);
export const zoneText = z
  .string()
  .refine(isTimeZone, { error: (issue) => `"${String(issue.input)}" is not an IANA time zone` });
export const keyText = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/, {
  error: (issue) =>
    `"${String(issue.input)}" is not a key: 1-128 of A-Z a-z 0-9 . _ : @ -, starting with a letter or digit`,
});
/** Where in an event's data; see `parsePath`. */
export const pathText = checked('a path, such as "$.tokens" or "$.calls[0].model"', parsePath);
export const perText = z.enum(['second', 'minute', 'hour', 'day', 'week', 'month']);
export const intervalText = z.enum(['day', 'week', 'month', 'year']);

export const filterSchema = z.strictObject({
  path: pathText,
  op: z.enum(['eq', 'ne', 'in', 'gt', 'gte', 'lt', 'lte', 'exists']),
  value: z.unknown().optional(),
});

export const meterSchema = z.strictObject({
  key: keyText,
  event_type: z.string().min(1).max(255),
  aggregation: z.enum(['count', 'sum', 'min', 'max', 'avg', 'latest', 'unique_count']),
  /** Path of the value in the event's data; not for count. */
  value: pathText.optional(),
  group_by: z.record(keyText, pathText).default({}),
  filter: z.array(filterSchema).default([]),
  /** True leaves out events whose data.status is 400 or more. */
  chargeable_only: z.boolean().default(false),
});

export const featureSchema = z.strictObject({
  key: keyText,
  name: z.string().max(200).optional(),
  kind: z.enum(['boolean', 'static', 'quota', 'prepaid', 'quota_then_prepaid']),
  meter: keyText.optional(),
  /** Key of the price that a unit costs, for the prepaid kinds. */
  price: keyText.optional(),
  filter: z.array(filterSchema).default([]),
  rate_limit: z.strictObject({ limit: z.int().positive(), per: perText }).optional(),
  concurrency: z.int().positive().optional(),
  on_outage: z.enum(['open', 'closed', 'lease_only']).default('closed'),
  no_overspend: z.boolean().default(false),
  requires_approval: z.boolean().default(false),
  forbidden: z.boolean().default(false),
});

export const tierSchema = z.strictObject({
  up_to: amountText.optional(),
  amount: amountText.optional(),
  flat: amountText.optional(),
});

export const priceSchema = z.strictObject({
  key: keyText,
  /** A currency, or a credit unit such as `credits`. */
  unit: z.string().min(1).max(32),
  model: z.enum(['flat', 'per_unit', 'package', 'graduated', 'volume']),
  amount: amountText.optional(),
  package_size: amountText.optional(),
  tiers: z.array(tierSchema).optional(),
  match: z.record(keyText, z.string()).default({}),
  from: instantText.optional(),
});

const rollover = z.strictObject({ min: amountText.optional(), max: amountText.optional() });

export const planGrantSchema = z.strictObject({
  unit: z.string().min(1).max(32),
  amount: amountText,
  priority: z.int().min(0).max(255).default(100),
  kind: z.enum(['promotional', 'paid']).default('promotional'),
  rollover: rollover.optional(),
});

export const planFeatureSchema = z.strictObject({
  included: amountText.optional(),
  limit: z.enum(['hard', 'soft']).default('hard'),
  value: z.unknown().optional(),
  reset: z.enum(['period', 'day', 'week', 'month', 'never']).default('period'),
  spend_cap: z.strictObject({ amount: amountText, per: perText }).optional(),
});

export const planSchema = z.strictObject({
  key: keyText,
  version: z.int().positive().optional(),
  interval: intervalText.default('month'),
  amount: amountText.default('0'),
  currency: z.string().length(3).optional(),
  trial_days: z.int().min(0).optional(),
  trial_requires_method: z.boolean().default(false),
  first_payment: z.enum(['gate', 'none']).default('none'),
  requires_approval: z.boolean().default(false),
  dunning: keyText.optional(),
  overdraft: z.record(z.string(), amountText).default({}),
  features: z.record(keyText, planFeatureSchema).default({}),
  grants: z.array(planGrantSchema).default([]),
});

export const DECLINE_CLASSES = ['hard', 'data', 'funds', 'generic', 'technical', 'authentication'] as const;
const schedule = z.union([z.array(durationText), z.strictObject({ gaps: z.array(durationText) })]);

export const dunningPolicySchema = z.strictObject({
  key: keyText,
  schedules: z.partialRecord(z.enum(DECLINE_CLASSES), schedule).default({}),
  warn: durationText.default('3d'),
  suspend: durationText.default('14d'),
  end: durationText.default('30d'),
  min_notice: durationText.default('48h'),
  min_amount: z.record(z.string(), amountText).default({}),
  final_action: z.enum(['cancel', 'downgrade', 'write_off', 'none']).default('cancel'),
  downgrade_to: keyText.optional(),
  snap: z.boolean().default(true),
  max_window: durationText.optional(),
});

export const notificationRuleSchema = z.strictObject({
  key: keyText,
  on: z.enum(['usage', 'balance', 'expiry', 'trial', 'renewal', 'forecast']),
  /** Numbers (usage, balance) as decimals, or durations (expiry, trial, renewal, forecast). */
  thresholds: z.array(z.union([z.number(), z.string()])).min(1),
  percent: z.boolean().default(false),
  recurring: z.union([z.number(), z.string()]).optional(),
  feature: keyText.optional(),
  unit: z.string().optional(),
});

export const couponSchema = z.strictObject({
  key: keyText,
  percent: amountText.optional(),
  amount: amountText.optional(),
  periods: z.int().positive().optional(),
});

/**
 * What a provider sells: the document of `tallygate apply` and of scenario files. Applying merges by key; references
 * between its parts are checked on the merged whole.
 */
export const catalogSchema = z.strictObject({
  meters: z.array(meterSchema).default([]),
  features: z.array(featureSchema).default([]),
  prices: z.array(priceSchema).default([]),
  plans: z.array(planSchema).default([]),
  dunning_policies: z.array(dunningPolicySchema).default([]),
  notification_rules: z.array(notificationRuleSchema).default([]),
  coupons: z.array(couponSchema).default([]),
});

export type Filter = z.output<typeof filterSchema>;
export type Meter = z.output<typeof meterSchema>;
export type Feature = z.output<typeof featureSchema>;
export type Price = z.output<typeof priceSchema>;
export type PlanFeature = z.output<typeof planFeatureSchema>;
export type Plan = z.output<typeof planSchema>;
export type DunningPolicy = z.output<typeof dunningPolicySchema>;
export type NotificationRule = z.output<typeof notificationRuleSchema>;
export type Catalog = z.output<typeof catalogSchema>;
export type DeclineClass = (typeof DECLINE_CLASSES)[number];
