import { instantText } from '@tallygate/contracts';
import { problem } from '@tallygate/platform';
import { z } from 'zod';
import { eventRefusal, notDurable } from './acceptance-answer';
import { CONFLICT, deadLetter, EVENTS, EXAMPLE_LETTER, INVALID, LETTER_REFUSALS } from './operations';

/** What became of usage that was wrong, late or unreadable: contracts of the routes that mend it. */
const AUDIT_ENTRY = {
  id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b9c',
  at: '2026-03-02T09:00:00Z',
  action: 'dead_letter.edited',
  author: 'ann',
  key: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b92',
  subject: EXAMPLE_LETTER.letter,
  reason: 'the sender sent a negative quantity',
  detail: {},
};
const auditEntry = z
  .strictObject({
    id: z.string(),
    at: instantText,
    action: z.string(),
    author: z.string().nullable(),
    key: z.string(),
    subject: z.string(),
    reason: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'UsageAuditEntry' });

export const AUDIT = {
  list: {
    id: 'listUsageAudit',
    summary: 'Who did what to usage, newest first',
    description: 'The next page begins `before` the last entry.',
    answer: z.strictObject({ audit: z.array(auditEntry) }),
    example: { audit: [AUDIT_ENTRY] },
  },
};

export const LETTERS = {
  inspect: {
    id: 'getDeadLetter',
    summary: 'One dead letter with what was done to it',
    answer: deadLetter.extend({ mended: z.unknown(), audit: z.array(auditEntry) }),
    example: { ...EXAMPLE_LETTER, mended: null, audit: [AUDIT_ENTRY] },
    refusals: [LETTER_REFUSALS.unknown()],
  },
  edit: {
    id: 'editDeadLetter',
    summary: 'Keeps a mended event with the letter; a replay sends it',
    body: { example: { event: EVENTS.take.body.example, author: 'ann', reason: 'a negative quantity' } },
    answer: deadLetter,
    example: EXAMPLE_LETTER,
    refusals: [
      LETTER_REFUSALS.unknown(),
      LETTER_REFUSALS.closed('replayed'),
      eventRefusal(INVALID),
      eventRefusal(CONFLICT),
    ],
  },
};

export const CORRECTIONS = {
  correct: {
    id: 'correctUsage',
    summary: 'Reverses an event as if it had never happened, or amends its data',
    description: 'The Idempotency-Key names the correction; a repeat is answered as the first time.',
    body: { example: { source: 'gateway-1', id: 'e1', reverse: true, author: 'ann', reason: 'sent twice' } },
    answer: z
      .strictObject({
        source: z.string(),
        id: z.string(),
        correction: z.string(),
        status: z.enum(['accepted', 'parked']),
        code: z.string().optional(),
      })
      .meta({ id: 'Correction' }),
    example: { source: 'gateway-1', id: 'e1', correction: 'c1', status: 'accepted' as const },
    refusals: [eventRefusal(INVALID), notDurable()],
  },
};

export const BACKFILL_REFUSALS = {
  unknown: () => problem(404, 'backfill_unknown', 'There is no such backfill'),
  closed: () =>
    problem(409, 'backfill_closed', 'The backfill is closed', {
      detail: 'Open another one for more usage.',
    }),
};

const backfill = z
  .strictObject({
    id: z.uuid(),
    from: instantText,
    to: instantText,
    author: z.string().nullable(),
    key: z.string(),
    reason: z.string(),
    status: z.enum(['open', 'closed']),
    opened_at: instantText,
    closed_at: instantText.nullable(),
    accepted: z.int(),
    duplicates: z.int(),
    parked: z.int(),
    refused: z.int(),
  })
  .meta({ id: 'Backfill' });

const BACKFILL = {
  id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b9d',
  from: '2025-11-01T00:00:00Z',
  to: '2025-12-01T00:00:00Z',
  author: 'ann',
  key: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b92',
  reason: 'the gateway kept November to itself',
  status: 'open' as const,
  opened_at: '2026-03-02T09:00:00Z',
  closed_at: null,
  accepted: 0,
  duplicates: 0,
  parked: 0,
  refused: 0,
};

export const BACKFILLS = {
  open: {
    id: 'openBackfill',
    summary: 'Opens the bringing in of a past period’s usage',
    body: { example: { from: BACKFILL.from, to: BACKFILL.to, author: 'ann', reason: BACKFILL.reason } },
    answer: backfill,
    example: BACKFILL,
  },
  list: {
    id: 'listBackfills',
    summary: 'Backfills, newest first',
    answer: z.strictObject({ backfills: z.array(backfill) }),
    example: { backfills: [BACKFILL] },
  },
  find: {
    id: 'getBackfill',
    summary: 'A backfill and how its events were answered',
    answer: backfill,
    example: BACKFILL,
    refusals: [BACKFILL_REFUSALS.unknown()],
  },
  take: {
    ...EVENTS.take,
    id: 'sendBackfill',
    summary: 'Takes usage of the backfill’s period: one CloudEvent, or up to 1,000 as an array',
    refusals: [...EVENTS.take.refusals, BACKFILL_REFUSALS.unknown(), BACKFILL_REFUSALS.closed()],
  },
  close: {
    id: 'closeBackfill',
    summary: 'Ends a backfill',
    body: { example: { author: 'ann' } },
    answer: backfill,
    example: { ...BACKFILL, status: 'closed' as const, closed_at: '2026-03-02T10:00:00Z' },
    refusals: [BACKFILL_REFUSALS.unknown(), BACKFILL_REFUSALS.closed()],
  },
};
