import { z } from 'zod';
import {
  AMOUNT_SHAPE,
  instantText,
  keyText,
  plannedInstantText,
  POSITIVE_AMOUNT_SHAPE,
  priceSchema,
  termText,
  zoneText,
} from '@tallygate/contracts';
import {
  exactMicros,
  instant,
  parseAmount,
  parseDuration,
  parseInstant,
  parsePositiveAmount,
} from '@tallygate/kernel';
import { wholeNumber } from '@tallygate/platform';
import type { UsageCursor } from '../service/usage-query.service';

/** A text that one of the kernel's parsers reads; its own advice is the fault's. */
function read<T>(
  parse: (value: unknown) => { ok: true; value: T } | { ok: false; error: { fix: string } },
  shape: Readonly<Record<string, unknown>>,
) {
  const sent = z.unknown().meta({ type: 'string', ...shape });
  return sent.transform((value, context): T => {
    const parsed = parse(value);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.error.fix, input: value });
    return z.NEVER;
  });
}

const positive = read(parsePositiveAmount, POSITIVE_AMOUNT_SHAPE);
const amount = read(parseAmount, AMOUNT_SHAPE).refine((value) => value >= 0n, {
  error: 'Send an amount that is not negative.',
});
const moment = instantText.transform((text) => {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new TypeError(text);
  return parsed.value;
});
const planned = plannedInstantText.transform((text) => {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new TypeError(text);
  return parsed.value;
});
const duration = termText.transform((text) => {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new TypeError(text);
  return parsed.value;
});
export const unit = z.string().min(1).max(32);
/** Keys of grants, holds and debits are the caller's own; any text that fits an Idempotency-Key. */
const ownKey = z.string().min(1).max(255);

export const grantBody = z.strictObject({
  unit,
  amount: positive,
  key: ownKey.optional(),
  priority: z.int().min(0).max(255).default(100),
  kind: z.enum(['promotional', 'paid']).default('promotional'),
  effective_at: planned.nullish(),
  expires_at: moment.nullish(),
  features: z.array(keyText).min(1).nullish(),
  recurrence: z
    .strictObject({
      every: duration.refine((step) => step.months + step.days + step.micros > 0, {
        error: 'must be longer than nothing',
      }),
      anchor: planned.optional(),
    })
    .nullish(),
  rollover: z.strictObject({ min: amount.optional(), max: amount.optional() }).nullish(),
});

export const debitBody = z.strictObject({
  unit,
  amount: positive,
  key: ownKey.optional(),
  feature: keyText.nullish(),
});

export const holdBody = debitBody.extend({
  ttl: duration
    .refine((ttl) => ttl.months === 0, {
      error: 'must have an exact length: weeks, days, hours, minutes, seconds',
    })
    .transform((ttl) => (ttl.months === 0 ? exactMicros(ttl) : 0))
    .refine((ttl) => ttl > 0, { error: 'must be longer than nothing' })
    .prefault('15m'),
});

export const captureBody = z.strictObject({ amount: positive.optional() }).prefault({});
export const resetBody = z.strictObject({
  at: moment.optional(),
  keep_overage: z.boolean().default(false),
  keep_anchor: z.boolean().default(false),
});
export const emptyBody = z.strictObject({}).prefault({});

export const walletQuery = z.strictObject({ at: moment.optional(), known_at: moment.optional() });
export const entriesQuery = z.strictObject({
  from: moment.optional(),
  to: moment.optional(),
  format: z.enum(['json', 'csv']).default('json'),
});

const several = z.union([z.string(), z.array(z.string())]).transform((given) => [given].flat());

/** `model:m1`, as often as wanted: values of one group are alternatives, groups must all fit. */
const groupFilter = several.transform((texts, context) => {
  const filter = Object.create(null) as Record<string, string[]>;
  for (const text of texts) {
    const colon = text.indexOf(':');
    if (colon > 0) (filter[text.slice(0, colon)] ??= []).push(text.slice(colon + 1));
    else
      context.addIssue({
        code: 'custom',
        message: 'Send a group and its value, such as model:m1.',
        input: text,
      });
  }
  return filter;
});

/** Made by `cursorText`. */
const cursor = z.string().transform((text, context): UsageCursor => {
  const read = z.tuple([z.int(), z.string().regex(/^[^\0]*$/)]).safeParse(fromBase64(text));
  if (read.success) return { start: instant(read.data[0]), group: read.data[1] };
  context.addIssue({ code: 'custom', message: 'Send what an answer gave as its cursor.', input: text });
  return z.NEVER;
});

function fromBase64(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown;
  } catch {
    return null;
  }
}

export function cursorText({ start, group }: UsageCursor): string {
  return Buffer.from(JSON.stringify([start, group])).toString('base64url');
}

export const usageQuery = z.strictObject({
  customer: z.string().min(1),
  meter: keyText,
  from: moment.optional(),
  to: moment.optional(),
  window: z.enum(['minute', 'hour', 'day', 'week', 'month']).optional(),
  timezone: zoneText.optional(),
  group_by: z
    .string()
    .transform((text) => text.split(',').filter((key) => key !== ''))
    .prefault('')
    .meta({ description: 'Names of the meter’s groups, parted by commas' }),
  filter: groupFilter.prefault([]).meta({
    description: 'A group and its value, such as model:m1; several values of one group are alternatives',
  }),
  limit: wholeNumber(1, 10_000).prefault('10000'),
  cursor: cursor.optional(),
  format: z.enum(['json', 'csv']).default('json'),
});

export const identitiesBody = z.object({
  identities: z.array(z.string().regex(/^[0-9a-f]{32}$/)).max(20_000),
});

export const bookedEventsBody = z.object({
  tenantId: z.uuid(),
  identities: z.array(z.object({ source: z.string(), id: z.string() })).max(10_000),
});

export const announcementBody = z.strictObject({
  id: z.uuid(),
  tenantId: z.uuid(),
  revision: z.int().positive(),
  rows: z.array(priceSchema),
});

export const withdrawalBody = z.strictObject({ id: z.uuid(), tenantId: z.uuid() });
