import { z } from 'zod';
import { isTimeZone, parseAmount, parseDuration, parseInstant } from '@tallygate/kernel';
import { parsePath } from './path';

/** What a JSON Schema can say of a text that a parser of the kernel reads; the parser decides. */
interface Shape {
  readonly description: string;
  readonly examples: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
}

export const AMOUNT_SHAPE = {
  description: 'A decimal with at most 9 decimals',
  pattern: '^-?[0-9]{1,27}(\\.[0-9]{1,9})?$',
  examples: ['12.5'],
} satisfies Shape;
export const POSITIVE_AMOUNT_SHAPE = {
  description: 'A decimal above 0 with at most 9 decimals',
  pattern: '^[0-9]{1,27}(\\.[0-9]{1,9})?$',
  examples: ['12.5'],
} satisfies Shape;
export const DURATION_SHAPE = {
  description: 'A duration of at most 280 years: s, m, h are exact, d, w, mo, y are calendar steps',
  pattern: '^([0-9]{1,12}(mo|[smhdwy]))+$',
  examples: ['1d2h'],
} satisfies Shape;
export const INSTANT_SHAPE = {
  description: 'An instant by RFC 3339, of the years 1685 to 2254, to the microsecond',
  format: 'date-time',
  examples: ['2026-03-01T00:00:00Z'],
} satisfies Shape;

const PLANNED_UNTIL = '2200';
const MOST_TERM_DAYS = 3650;
const MOST_EXACT_DAYS = 366;
const DAY_MICROS = 86_400_000_000;

/** At most so many days; none for what is no duration, which another check says. */
function daysOf(text: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) return 0;
  const { months, days, micros } = parsed.value;
  return months * 31 + days + micros / DAY_MICROS;
}

/** Texts that stay texts on the wire, checked by the kernel's parsers. */
const checked = (what: string, parse: (text: string) => { ok: boolean }, shape: Shape) =>
  z
    .string()
    .refine((text) => parse(text).ok, { error: (issue) => `"${String(issue.input)}" is not ${what}` })
    .meta({ ...shape, examples: [...shape.examples] });

export const amountText = checked(
  'a decimal amount with at most 9 decimals, such as "0.002"',
  parseAmount,
  AMOUNT_SHAPE,
);
export const durationText = checked(
  'a duration, such as "90s", "5m", "2h", "3d", "2w", "1mo", "1y" or "1d2h"',
  parseDuration,
  DURATION_SHAPE,
);
export const instantText = checked(
  'an RFC 3339 instant, such as "2026-03-01T00:00:00Z"',
  parseInstant,
  INSTANT_SHAPE,
);
/** An instant that periods are counted from: some decades are left for adding them up. */
export const plannedInstantText = instantText.refine((text) => text < PLANNED_UNTIL, {
  error: 'lies beyond the year 2199',
  params: { fix: 'name an earlier instant' },
});
/** A length that deadlines are counted with: what it is added to stays an instant. */
export const termText = durationText.refine((text) => daysOf(text) <= MOST_TERM_DAYS, {
  error: 'is longer than ten years',
  params: { fix: 'use at most 3650d' },
});
/** A length in exact time, of at most a year. */
export const exactTermText = durationText.refine(
  (text) => !/mo|y/.test(text) && daysOf(text) <= MOST_EXACT_DAYS,
  {
    error: 'is no exact length of at most 366 days',
    params: { fix: 'use days, hours, minutes or seconds, such as 35d' },
  },
);
export const zoneText = z
  .string()
  .refine(isTimeZone, { error: (issue) => `"${String(issue.input)}" is not an IANA time zone` })
  .meta({ description: 'An IANA time zone', examples: ['Europe/Berlin'] });
export const keyText = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/, {
  error: (issue) =>
    `"${String(issue.input)}" is not a key: 1-128 of A-Z a-z 0-9 . _ : @ -, starting with a letter or digit`,
});
/** Where in an event's data; see `parsePath`. */
export const pathText = checked('a path, such as "$.tokens" or "$.calls[0].model"', parsePath, {
  description: 'Where in an event’s data',
  examples: ['$.calls[0].model'],
});
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
  trial_days: z.int().min(0).max(3650).optional(),
  trial_requires_method: z.boolean().default(false),
  first_payment: z.enum(['gate', 'none']).default('none'),
  requires_approval: z.boolean().default(false),
  dunning: keyText.optional(),
  overdraft: z.record(z.string(), amountText).default({}),
  features: z.record(keyText, planFeatureSchema).default({}),
  grants: z.array(planGrantSchema).default([]),
});

export const DECLINE_CLASSES = ['hard', 'data', 'funds', 'generic', 'technical', 'authentication'] as const;
const schedule = z.union([z.array(termText), z.strictObject({ gaps: z.array(termText) })]);

export const dunningPolicySchema = z.strictObject({
  key: keyText,
  schedules: z.partialRecord(z.enum(DECLINE_CLASSES), schedule).default({}),
  warn: termText.default('3d'),
  suspend: termText.default('14d'),
  end: termText.default('30d'),
  min_notice: termText.default('48h'),
  min_amount: z.record(z.string(), amountText).default({}),
  final_action: z.enum(['cancel', 'downgrade', 'write_off', 'none']).default('cancel'),
  downgrade_to: keyText.optional(),
  snap: z.boolean().default(true),
  max_window: termText.optional(),
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
