import { instantText, NOTICE_KINDS } from '@tallygate/contracts';
import { type ApiTag, problem } from '@tallygate/platform';
import { z } from 'zod';

export const NOTIFIER_TAG: ApiTag = {
  name: 'notifier',
  description: 'What customers were told, once each, and what an operator must look at.',
};

export const customerUnknown = (key: string) =>
  problem(404, 'customer_unknown', 'There is no such customer', {
    detail: `No customer has the key "${key.slice(0, 128)}".`,
  });

const notice = z
  .strictObject({
    id: z.string(),
    at: instantText,
    kind: z.enum(NOTICE_KINDS),
    subject: z.string().meta({ description: 'A feature, a unit, a grant, an invoice number, a plan' }),
    threshold: z.string().nullable(),
    details: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Notice' });

export const NOTICES = {
  notices: {
    id: 'listNotices',
    summary: 'The latest thousand notices of a customer, oldest first',
    answer: z.strictObject({ notices: z.array(notice) }),
    example: {
      notices: [
        {
          id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b93',
          at: '2026-03-20T08:00:00Z',
          kind: 'usage_threshold' as const,
          subject: 'completions',
          threshold: '80',
          details: { feature: 'completions' },
        },
      ],
    },
    refusals: [customerUnknown('acme')],
  },
  alerts: {
    id: 'listAlerts',
    summary: 'What an operator must look at, oldest first',
    answer: z.strictObject({
      alerts: z.array(z.strictObject({ at: instantText, kind: z.string(), detail: z.string() })),
    }),
    example: {
      alerts: [{ at: '2026-03-20T08:00:00Z', kind: 'notice_undeliverable', detail: 'acme has no channel' }],
    },
  },
};
