import { amountText, catalogSchema, instantText, SUBSCRIPTION_STATUSES } from '@tallygate/contracts';
import { SCOPES } from '@tallygate/platform';
import { z } from 'zod';

/** What billing's routes answer; `views.ts` makes them. */
const instant = instantText.nullable();

export const tenantAnswer = z
  .strictObject({
    id: z.uuid(),
    name: z.string(),
    mode: z.enum(['test', 'live']),
    timezone: z.string(),
    currency: z.string(),
    clock: instant.meta({ description: 'Start of a test tenant’s virtual clock' }),
    settings: z.strictObject({
      lateness: z.string(),
      dedup_window: z.string(),
      disclose_balance: z.boolean(),
      disclose_price: z.boolean(),
      portal_url: z.string().nullable(),
      docs_url: z.string().nullable(),
      statuses: z.partialRecord(z.enum(['upgrade_required', 'quota_exceeded']), z.number()).optional(),
    }),
  })
  .meta({ id: 'Tenant' });

export const createdTenantAnswer = tenantAnswer.extend({
  api_key: z
    .string()
    .meta({ description: 'The tenant’s first key, of scope admin; shown here and never again' }),
  api_key_id: z.string(),
});

export const issuedKeyAnswer = z.strictObject({
  id: z.string(),
  api_key: z.string().meta({ description: 'Shown here and never again' }),
  scopes: z.array(z.enum(SCOPES)),
});

export const revokedKeyAnswer = z.strictObject({ id: z.string(), revoked: z.literal(true) });

export const auditAnswer = z.strictObject({
  entries: z.array(
    z
      .strictObject({
        at: instantText,
        actor: z.string(),
        action: z.string(),
        target: z.string(),
        detail: z.record(z.string(), z.unknown()).nullish(),
      })
      .meta({ id: 'AuditEntry' }),
  ),
});

export const introspectAnswer = z.strictObject({
  principal: z
    .strictObject({
      tenantId: z.string(),
      mode: z.enum(['test', 'live']),
      keyId: z.string(),
      scopes: z.array(z.enum(SCOPES)),
    })
    .nullable(),
});

export const appliedCatalogAnswer = z
  .strictObject({ revision: z.int(), catalog: catalogSchema })
  .meta({ id: 'AppliedCatalog' });

const consumerKey = z.strictObject({
  id: z.string(),
  subject: z.string().nullable(),
  expires_at: instant,
  revoked_at: instant,
});

export const customerAnswer = z
  .strictObject({
    id: z.uuid(),
    key: z.string(),
    name: z.string().nullable(),
    email: z.string().nullable(),
    webhook: z.string().nullable(),
    timezone: z.string(),
    currency: z.string(),
    subjects: z.array(z.string()),
    api_keys: z.array(consumerKey),
    overdraft: z.record(z.string(), amountText),
    parent_id: z.string().nullable(),
    payer_id: z.string().nullable(),
  })
  .meta({ id: 'Customer' });

export const subscriptionAnswer = z
  .strictObject({
    id: z.string(),
    customer: z.string(),
    plan: z.string(),
    plan_version: z.int(),
    status: z.enum(SUBSCRIPTION_STATUSES),
    started_at: instantText,
    period_start: instantText,
    period_end: instantText,
    trial_end: instant,
    suspend_at: instant,
    cancel_at: instant,
    ended_at: instant,
    paused_at: instant,
    incomplete_reason: z.enum(['method', 'action', 'payment']).nullable(),
    incomplete_until: instant,
    next_plan: z.strictObject({ plan: z.string(), at: z.enum(['period_end', 'payment']) }).nullable(),
  })
  .meta({ id: 'Subscription' });

export const createdCustomerAnswer = customerAnswer.extend({
  api_keys: z.array(
    consumerKey.extend({
      key: z.string().optional().meta({ description: 'A key that was made; shown here and never again' }),
    }),
  ),
  subscription: subscriptionAnswer.nullable(),
});

export const customersAnswer = z.strictObject({
  customers: z.array(customerAnswer),
  next: z.string().nullable().meta({ description: '`after` of the next page; null on the last' }),
});

const flags = {
  override: z
    .strictObject({
      state: z.literal('allow'),
      author: z.string(),
      reason: z.string(),
      until: instant,
    })
    .nullable(),
  review: z.enum(['open', 'cleared']),
  approvals: z.record(z.string(), z.enum(['approved', 'rejected'])),
};
export const flagsAnswer = z.strictObject({ customer: z.string(), ...flags }).meta({ id: 'Flags' });
export const shownCustomerAnswer = customerAnswer.extend(flags);

export const paymentMethodAnswer = z
  .strictObject({
    customer: z.string(),
    id: z.string(),
    set: z.string(),
    brand: z.string(),
    funding: z.enum(['credit', 'debit']),
    expires: z.string().nullable(),
  })
  .meta({ id: 'PaymentMethod' });
export const removedAnswer = z.strictObject({ customer: z.string(), removed: z.literal(true) });

export const invoiceAnswer = z
  .strictObject({
    id: z.uuid(),
    number: z.int().nullable(),
    kind: z.enum(['subscription', 'top_up']),
    status: z.enum(['draft', 'open', 'paid', 'void', 'refunded', 'uncollectible']),
    currency: z.string(),
    total: amountText,
    due: amountText.meta({ description: 'Still owed' }),
    lines: z.array(z.strictObject({ amount: amountText, description: z.string() })),
    due_at: instantText,
    period_start: instant,
    period_end: instant,
    settled_at: instant,
  })
  .meta({ id: 'Invoice' });
export const invoicesAnswer = z.strictObject({ invoices: z.array(invoiceAnswer) });

export const topUpAnswer = z
  .strictObject({
    id: z.string(),
    key: z.string(),
    unit: z.string(),
    amount: amountText,
    status: z.enum(['pending', 'paid', 'failed']),
    decline_code: z.string().nullable(),
    paid_at: instant,
    invoice: invoiceAnswer,
  })
  .meta({ id: 'TopUp' });

export const autoTopUpAnswer = z
  .strictObject({
    customer: z.string(),
    unit: z.string(),
    threshold: amountText,
    amount: amountText.nullable(),
    target: amountText.nullable(),
    cap: amountText.nullable(),
    per: z.enum(['hour', 'day', 'week', 'month', 'year']).nullable(),
    stopped_by: z.enum(['hard_decline', 'circuit']).nullable(),
    retry_at: instant,
  })
  .meta({ id: 'AutoTopUp' });
export const removedAutoTopUpAnswer = z.strictObject({
  customer: z.string(),
  unit: z.string(),
  removed: z.literal(true),
});

const budget = z.strictObject({
  feature: z.string(),
  day: amountText
    .nullable()
    .meta({ description: 'In the unit of the feature’s price; null: without a limit' }),
  month: amountText.nullable(),
});
export const budgetAnswer = budget.extend({ customer: z.string() }).meta({ id: 'Budget' });
export const budgetsAnswer = z.strictObject({ customer: z.string(), budgets: z.array(budget) });
export const removedBudgetAnswer = z.strictObject({
  customer: z.string(),
  feature: z.string(),
  removed: z.literal(true),
});

export const clockAnswer = z.strictObject({ now: instantText });
export const movedClockAnswer = z
  .strictObject({
    now: instantText,
    visited: z.int().meta({ description: 'Due instants at which the clock stopped' }),
  })
  .meta({ id: 'MovedClock' });
