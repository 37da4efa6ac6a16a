import { amountText, DECLINE_CLASSES, instantText } from '@tallygate/contracts';
import { problem } from '@tallygate/platform';
import type { ApiTag } from '@tallygate/platform';
import { z } from 'zod';
import { ATTEMPT_STATES } from '../domain';
import { webhookBody } from '../provider/sandbox.provider';

export const DUNNING_TAG: ApiTag = {
  name: 'dunning',
  description:
    'Charges that were tried, where a customer stands with unpaid invoices, and what providers report.',
};

export const REFUSALS = {
  customer_unknown: (key: string) =>
    problem(404, 'customer_unknown', 'There is no such customer', {
      detail: `No customer has the key ${key.slice(0, 128)}.`,
    }),
  invoice_unknown: () => problem(404, 'not_found', 'There is no such invoice'),
  nothing_to_restart: () => problem(409, 'nothing_to_restart', 'Nothing of this invoice waits for a restart'),
  provider_unknown: () => problem(404, 'provider_unknown', 'There is no such payment provider'),
  unreadable: () => problem(400, 'webhook_unreadable', 'The body is no event of this provider'),
  forged: () => problem(401, 'webhook_signature', 'The signature does not match'),
  refused: () => problem(400, 'webhook_mismatch', 'The event names no payment of its own mode'),
};

const EXAMPLE_INVOICE = '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b91';
const EXAMPLE_ATTEMPT = '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b94';

const attempt = z
  .strictObject({
    id: z.uuid(),
    at: instantText,
    amount: amountText,
    currency: z.string(),
    invoice: z.uuid(),
    outcome: z.enum(ATTEMPT_STATES),
    decline_class: z.enum(DECLINE_CLASSES).nullable(),
    decline_code: z.string().nullable(),
    advice_code: z.string().nullable(),
    method: z.string().nullable(),
    refunded: amountText,
  })
  .meta({ id: 'Attempt' });

export const COLLECTION = {
  attempts: {
    id: 'listAttempts',
    summary: 'Charges that reached the payment provider, oldest first',
    answer: z.strictObject({ customer: z.string(), list: z.array(attempt) }),
    example: {
      customer: 'acme',
      list: [
        {
          id: EXAMPLE_ATTEMPT,
          at: '2026-03-01T00:00:00Z',
          amount: '20',
          currency: 'USD',
          invoice: EXAMPLE_INVOICE,
          outcome: 'declined' as const,
          decline_class: 'funds' as const,
          decline_code: 'insufficient_funds',
          advice_code: null,
          method: 'visa 4242',
          refunded: '0',
        },
      ],
    },
    refusals: [REFUSALS.customer_unknown('acme')],
  },
  collection: {
    id: 'getCollection',
    summary: 'Where a customer stands with its unpaid invoices',
    answer: z
      .strictObject({
        customer: z.string(),
        state: z.enum(['current', 'action_required', 'grace', 'warned', 'suspended', 'ended', 'disputed']),
        anchor: instantText.nullable().meta({ description: 'What every deadline counts from' }),
        suspend_at: instantText.nullable(),
        final_action: z.enum(['cancel', 'downgrade', 'write_off', 'none']).nullable(),
        unpaid_invoices: z.array(z.string()),
      })
      .meta({ id: 'Collection' }),
    example: {
      customer: 'acme',
      state: 'warned' as const,
      anchor: '2026-03-01T00:00:00Z',
      suspend_at: '2026-03-15T00:00:00Z',
      final_action: null,
      unpaid_invoices: [EXAMPLE_INVOICE],
    },
    refusals: [REFUSALS.customer_unknown('acme')],
  },
  restart: {
    id: 'restartCollection',
    summary: 'Sets an invoice going again that the outage schedule gave up on',
    answer: z.strictObject({ invoice: z.string(), status: z.literal('restarted') }),
    example: { invoice: EXAMPLE_INVOICE, status: 'restarted' as const },
    refusals: [REFUSALS.invoice_unknown(), REFUSALS.nothing_to_restart()],
  },
};

export const WEBHOOKS = {
  take: {
    id: 'takeProviderWebhook',
    summary: 'Where a payment provider reports',
    description:
      'The credential is the signature over the raw body (Standard Webhooks). The body is the sandbox provider’s.',
    body: {
      schema: webhookBody,
      example: {
        id: 'evt_1',
        type: 'charge.succeeded',
        account: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b99',
        mode: 'test',
        data: {
          charge: 'ch_1',
          attempt: EXAMPLE_ATTEMPT,
          code: null,
          advice: null,
          captured_at: '2026-03-01T00:00:01Z',
        },
      },
    },
    answer: z.strictObject({ status: z.enum(['taken', 'repeated']) }),
    example: { status: 'taken' as const },
    refusals: [REFUSALS.unreadable(), REFUSALS.refused(), REFUSALS.forged(), REFUSALS.provider_unknown()],
  },
};

const EXAMPLE_PAY = {
  tenantId: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b99',
  invoiceId: EXAMPLE_INVOICE,
};

const EXAMPLE_INVOICE_FACTS = {
  id: EXAMPLE_INVOICE,
  number: 1,
  customerId: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b96',
  payerId: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b96',
  kind: 'subscription',
  currency: 'USD',
  total: '20',
  due: '20',
  anchor: '2026-03-01T00:00:00Z',
  status: 'open',
  subscriptionId: null,
  dunningPolicy: null,
  interval: 'month',
  version: 1,
};

/** Between billing and dunning. */
export const PAYMENTS = {
  pay: {
    id: 'payNow',
    summary: 'Charges an invoice now',
    body: { example: { ...EXAMPLE_PAY, through: 'api', method: null, invoice: EXAMPLE_INVOICE_FACTS } },
    answer: z.looseObject({ outcome: z.string() }),
    example: { outcome: 'succeeded', attemptId: EXAMPLE_ATTEMPT, amount: '20' },
  },
  refund: {
    id: 'refundInvoice',
    summary: 'Gives money back, once for each key',
    body: { example: { ...EXAMPLE_PAY, amount: null, key: 'r1' } },
    answer: z.looseObject({ outcome: z.string() }),
    example: { outcome: 'refunded', amount: '20' },
  },
};
