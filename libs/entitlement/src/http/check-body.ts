import { createHash } from 'node:crypto';
import { NANO, parseAmount, parseQuantity } from '@tallygate/kernel';
import type { Nano } from '@tallygate/kernel';
import { z } from 'zod';
import type { DecisionRequest, Identity } from '../domain';

const quantity = z.union([z.string(), z.number()]).transform((value, issues): Nano => {
  const parsed = parseQuantity(value);
  if (parsed.ok) return parsed.value;
  issues.addIssue({ code: 'custom', message: 'is not a quantity', params: { fix: parsed.error.fix } });
  return z.NEVER;
});

const amount = z.string().transform((value, issues): Nano => {
  const parsed = parseAmount(value);
  if (parsed.ok) return parsed.value;
  issues.addIssue({ code: 'custom', message: 'is not an amount', params: { fix: parsed.error.fix } });
  return z.NEVER;
});

export const keyText = z.string().min(1).max(255);

export const checkBody = z
  .strictObject({
    tenant_id: z.uuid().optional(),
    /** As the consumer sent it; or its SHA-256, which is all that need travel. */
    credential: z.string().min(1).max(4096).optional(),
    credential_sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    customer: keyText.optional(),
    subject: keyText.optional(),
    feature: keyText.optional(),
    features: z.array(keyText).max(100).optional(),
    units: quantity.optional(),
    /** In the price's unit, for the whole request. */
    max_price: amount.optional(),
    groups: z.record(z.string(), z.string()).optional(),
  })
  .refine((body) => named(body).length <= 1, {
    error: 'names more than one of credential, credential_sha256, customer, subject',
    params: { fix: 'send one of them, or none for a request without a credential' },
  });
export type CheckBody = z.output<typeof checkBody>;

function named(body: { readonly [field: string]: unknown }): readonly string[] {
  return ['credential', 'credential_sha256', 'customer', 'subject'].filter(
    (field) => body[field] !== undefined,
  );
}

export function requestOf(body: CheckBody, tenantId: string | null): DecisionRequest {
  return {
    tenantId,
    identity: identityOf(body),
    features: body.features ?? (body.feature === undefined ? [] : [body.feature]),
    units: body.units ?? NANO,
    maxPrice: body.max_price ?? null,
    groups: body.groups,
  };
}

function identityOf(body: CheckBody): Identity {
  if (body.credential !== undefined) {
    return { kind: 'credential', hash: createHash('sha256').update(body.credential).digest('hex') };
  }
  if (body.credential_sha256 !== undefined) return { kind: 'credential', hash: body.credential_sha256 };
  if (body.customer !== undefined) return { kind: 'customer', key: body.customer };
  return body.subject === undefined ? { kind: 'none' } : { kind: 'subject', subject: body.subject };
}
