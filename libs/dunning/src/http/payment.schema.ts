import { amountText, instantText, intervalText } from '@tallygate/contracts';
import type { PayRequest, RefundRequest } from '@tallygate/contracts';
import { z } from 'zod';

const invoice = z.object({
  id: z.uuid(),
  number: z.int(),
  customerId: z.uuid(),
  payerId: z.uuid(),
  kind: z.enum(['subscription', 'top_up']),
  currency: z.string(),
  total: amountText,
  due: amountText,
  anchor: instantText,
  status: z.enum(['draft', 'open', 'paid', 'void', 'refunded', 'uncollectible']),
  subscriptionId: z.string().nullable(),
  dunningPolicy: z.string().nullable(),
  interval: intervalText.nullable(),
  version: z.int(),
});

const method = z.object({
  id: z.string(),
  customerId: z.uuid(),
  providerRef: z.string(),
  brand: z.string(),
  funding: z.enum(['credit', 'debit']),
  expires: z.string().nullable(),
  label: z.string(),
});

export const payBody: z.ZodType<PayRequest> = z.object({
  tenantId: z.uuid(),
  invoiceId: z.uuid(),
  through: z.enum(['api', 'hosted']),
  invoice,
  method: method.nullable(),
});
export type PayBody = z.infer<typeof payBody>;

export const refundBody: z.ZodType<RefundRequest> = z.object({
  tenantId: z.uuid(),
  invoiceId: z.uuid(),
  amount: amountText.nullable(),
  key: z.string().min(1).max(255),
});
export type RefundBody = z.infer<typeof refundBody>;
