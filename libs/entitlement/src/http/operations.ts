import { amountText, DENIAL_REASONS, instantText, PASS_REASONS } from '@tallygate/contracts';
import { problem } from '@tallygate/platform';
import type { ApiTag } from '@tallygate/platform';
import { z } from 'zod';

export const ENTITLEMENT_TAG: ApiTag = {
  name: 'entitlement',
  description: 'Whether a request may pass, why not, and the feed by which gates know it themselves.',
};

export const REFUSALS = {
  other_tenant: () => problem(403, 'other_tenant', 'This key is of another tenant'),
  customer_not_found: (customer: string) =>
    problem(404, 'customer_not_found', 'There is no such customer', { customer }),
  gone: () =>
    problem(410, 'feed_token_gone', 'The feed no longer goes back to this token', {
      detail: 'Start anew with GET /v1/feed/snapshot.',
    }),
};

const reason = z.enum([...PASS_REASONS, ...DENIAL_REASONS]);

const check = z
  .strictObject({
    allowed: z.boolean(),
    status: z.int(),
    code: z.string(),
    reason,
    feature: z.string().nullable(),
    value: z.unknown(),
    violated: z.array(z.string()),
    price: amountText.optional(),
    balance: amountText.optional(),
    unit: z.string().optional(),
    reset_at: instantText.nullable(),
    suspend_at: instantText.nullable(),
    decision_id: z.string(),
    snapshot_revision: z.string().nullable(),
    as_of: instantText,
    headers: z.record(z.string(), z.string()).meta({ description: 'As a gate would send them' }),
    body: z.looseObject({}).nullable().meta({ description: 'The refusal that a gate would send' }),
  })
  .meta({ id: 'Check' });

export const CHECK = {
  check: {
    id: 'check',
    summary: 'The answer a gate would give now, without using anything up',
    body: { example: { customer: 'acme', feature: 'completions', units: '100' } },
    answer: check,
    example: {
      allowed: true,
      status: 200,
      code: 'OK',
      reason: 'ok' as const,
      feature: null,
      value: null,
      violated: [],
      reset_at: null,
      suspend_at: null,
      decision_id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b95',
      snapshot_revision: '1:42',
      as_of: '2026-03-01T00:00:00Z',
      headers: { 'Billing-Gate-Reason': 'ok' },
      body: null,
    },
    refusals: [REFUSALS.other_tenant()],
  },
  entitlement: {
    id: 'getEntitlement',
    summary: 'What a customer may use of a feature, and what is left of it',
    answer: z
      .strictObject({
        customer: z.string(),
        feature: z.string(),
        allowed: z.boolean(),
        reason,
        used: amountText.nullable(),
        remaining: amountText.nullable(),
        included: amountText.nullable(),
        resets_at: instantText.nullable(),
      })
      .meta({ id: 'Entitlement' }),
    example: {
      customer: 'acme',
      feature: 'completions',
      allowed: true,
      reason: 'ok' as const,
      used: '250',
      remaining: '750',
      included: '1000',
      resets_at: '2026-04-01T00:00:00Z',
    },
    refusals: [REFUSALS.customer_not_found('acme')],
  },
};

const ref = { tenant_id: z.string(), kind: z.string(), key: z.string(), version: z.number() };
const changes = z
  .looseObject({
    from: z.string(),
    to: z.string(),
    upserts: z.array(z.looseObject({ ...ref, payload: z.unknown() })),
    removes: z.array(z.looseObject(ref)),
    digest: z.string().nullable(),
    server_time_micros: z.int(),
  })
  .meta({ id: 'FeedChanges' });

export const FEED = {
  snapshot: {
    id: 'getFeedSnapshot',
    summary: 'Everything a gate must know, one entry a line',
    description:
      '`snapshot_begin`, the entries, `snapshot_end` with the position and the digest to check against.',
    answer: z.string(),
    answerType: 'application/x-ndjson',
    example:
      '{"type":"snapshot_begin"}\n{"type":"snapshot_end","token":"1:42","digest":"0000000000000000"}\n',
    statuses: { 200: 'The snapshot', 304: 'Nothing changed since `If-None-Match`' },
    headers: { 'If-None-Match': z.string().optional() },
  },
  changes: {
    id: 'getFeedChanges',
    summary: 'What changed since a position',
    description: 'A long poll, or with `Accept: text/event-stream` a stream of the same changes.',
    answer: changes,
    example: {
      from: '1:42',
      to: '1:43',
      upserts: [],
      removes: [{ tenant_id: 't', kind: 'credential', key: 'k', version: 7 }],
      digest: '0000000000000000',
      server_time_micros: 1_772_323_200_000_000,
    },
    refusals: [REFUSALS.gone()],
  },
  ack: {
    id: 'acknowledgeFeed',
    summary: 'Tells the service what a gate holds',
    body: { example: { gate: 'gateway-1', token: '1:42', digest: '0000000000000000' } },
    answer: z.strictObject({ gate: z.string(), token: z.string() }),
    example: { gate: 'gateway-1', token: '1:42' },
    refusals: [REFUSALS.gone()],
  },
};

export const GATES = {
  list: {
    id: 'listGates',
    summary: 'Which gates follow the feed, and how far each has come',
    answer: z.array(
      z
        .strictObject({
          gate: z.string(),
          connected: z.boolean(),
          revision: z.string().nullable(),
          lag: z.int(),
          digest_equal: z.boolean().nullable(),
          seen_at: instantText,
        })
        .meta({ id: 'Gate' }),
    ),
    example: [
      {
        gate: 'gateway-1',
        connected: true,
        revision: '1:42',
        lag: 0,
        digest_equal: true,
        seen_at: '2026-03-01T00:00:00Z',
      },
    ],
  },
};
