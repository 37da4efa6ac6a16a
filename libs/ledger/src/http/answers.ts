import { amountText, instantText } from '@tallygate/contracts';
import { z } from 'zod';
import { ENTRY_KINDS } from '../domain';

/** What the ledger's routes answer. */
const unit = z.string();
/** A sum may be larger than any one amount, and an average has more decimals. */
const quantity = z.string().regex(/^-?[0-9]+(\.[0-9]+)?$/);
const status = z.enum(['pending', 'active', 'used', 'expired', 'voided']);

export const grantAnswer = z
  .strictObject({
    id: z.string(),
    customer: z.string(),
    key: z.string(),
    unit,
    amount: amountText,
  })
  .meta({ id: 'Grant' });

export const voidAnswer = z.strictObject({ key: z.string(), state: z.literal('voided') });

export const debitAnswer = z
  .strictObject({ customer: z.string(), key: z.string(), unit, amount: amountText })
  .meta({ id: 'Debit' });

const holdState = z.enum(['open', 'captured', 'released', 'expired']);

export const holdAnswer = z
  .strictObject({
    customer: z.string(),
    key: z.string(),
    unit,
    amount: amountText,
    expires_at: instantText,
    state: holdState,
  })
  .meta({ id: 'Hold' });

export const resolvedHoldAnswer = z.strictObject({
  key: z.string(),
  state: holdState,
  amount: amountText.optional(),
});

const walletGrant = z
  .strictObject({
    key: z.string(),
    remaining: amountText,
    held: amountText,
    status,
    amount: amountText,
    priority: z.int(),
    kind: z.enum(['promotional', 'paid']),
    effective_at: instantText,
    expires_at: instantText.nullable(),
    features: z.array(z.string()).nullable(),
  })
  .meta({ id: 'WalletGrant' });

export const walletAnswer = z
  .strictObject({
    customer: z.string(),
    unit,
    at: instantText,
    available: amountText,
    held: amountText,
    debt: amountText,
    grants: z.array(walletGrant).meta({ description: 'In burn order' }),
  })
  .meta({ id: 'Wallet' });

const entry = z
  .strictObject({
    version: z.int().meta({ description: 'Gapless in its wallet' }),
    at: instantText.meta({ description: 'When it was posted' }),
    effective_at: instantText,
    kind: z.enum(ENTRY_KINDS),
    amount: amountText,
    held: amountText,
    grant: z.string().nullable(),
    feature: z.string().nullable(),
    reference: z.string().nullable(),
    balance: amountText.meta({ description: 'After this entry' }),
  })
  .meta({ id: 'Entry' });

export const entriesAnswer = z
  .strictObject({
    customer: z.string(),
    unit,
    opening: amountText,
    closing: amountText,
    entries: z.array(entry),
  })
  .meta({ id: 'Statement' });

export const journalAnswer = z
  .strictObject({
    balanced: z.boolean(),
    chain: z.enum(['valid', 'broken']),
    sealed_rows: z.int(),
    open_rows: z.int(),
    head: z.strictObject({ seal: z.int(), hash: z.string(), sealed_at: instantText }).nullable(),
    fault: z
      .strictObject({
        customer: z.string().nullable(),
        unit: z.string().nullable(),
        version: z.int().nullable(),
        seal: z.int().nullable(),
        differs: z.unknown(),
      })
      .nullable(),
  })
  .meta({ id: 'Journal' });

export const usageAnswer = z.union([
  z.strictObject({ customer: z.string(), meter: z.string(), value: quantity.nullable() }),
  z.strictObject({
    customer: z.string(),
    meter: z.string(),
    rows: z.array(
      z.strictObject({
        start: instantText,
        end: instantText,
        value: quantity.nullable(),
        group: z.record(z.string(), z.string().nullable()),
      }),
    ),
    next: z.string().nullable().meta({ description: '`cursor` of the next page; null on the last' }),
  }),
]);

export const ratingParkedAnswer = z.strictObject({
  parked: z.array(
    z.strictObject({
      id: z.string(),
      code: z.string(),
      source: z.string(),
      feature: z.string().nullable(),
      time: instantText,
    }),
  ),
});

export const quotaAnswer = z
  .strictObject({
    customer: z.string(),
    feature: z.string(),
    period_start: instantText,
    period_end: instantText.nullable(),
    used: amountText,
    included: amountText,
  })
  .meta({ id: 'Quota' });

export const identitiesAnswer = z.strictObject({
  known: z.array(z.strictObject({ identity: z.string(), payloadHash: z.string() })),
});

export const announcedAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('announced') }),
  z.strictObject({
    outcome: z.literal('refused'),
    rated: z.array(
      z.strictObject({
        key: z.string(),
        from: z.string().nullable(),
        feature: z.string(),
        earliest: z.string(),
      }),
    ),
  }),
]);
export const withdrawnAnswer = z.strictObject({ withdrawn: z.string() });

const eventName = { source: z.string(), id: z.string() };

export const tracedEntryAnswer = entry
  .omit({ held: true, balance: true })
  .extend({
    customer: z.string(),
    unit,
    events: z.array(z.strictObject({ ...eventName, time: instantText, amount: amountText })),
  })
  .meta({ id: 'TracedEntry' });

const draw = z.strictObject({ grant: z.string().nullable(), amount: amountText, repaid: z.boolean() });
const moved = z.strictObject({
  version: z.int(),
  kind: z.enum(ENTRY_KINDS),
  grant: z.string().nullable(),
  amount: amountText,
});

export const eventAnswer = z
  .strictObject({
    ...eventName,
    customer: z.string().nullable(),
    time: instantText,
    state: z.enum(['booked', 'amended', 'reversed']),
    readings: z.array(
      z.strictObject({
        meter: z.string(),
        value: z.string().nullable(),
        group: z.record(z.string(), z.string().nullable()),
      }),
    ),
    charges: z.array(
      z.strictObject({
        feature: z.string(),
        unit,
        amount: amountText,
        debt: amountText,
        grants: z.array(draw),
        entries: z.array(moved),
      }),
    ),
    corrections: z.array(
      z.strictObject({ ...eventName, kind: z.string(), applied: z.boolean(), at: instantText }),
    ),
  })
  .meta({ id: 'BookedEvent' });

export const bookedEventsAnswer = z.strictObject({ events: z.array(z.unknown()) });
