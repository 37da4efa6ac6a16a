import { instantText } from '@tallygate/contracts';
import { problem } from '@tallygate/platform';
import type { ApiTag } from '@tallygate/platform';
import { z } from 'zod';
import { DEAD_LETTER_CODES } from '../service/dead-letters';
import { batchRefusal, eventRefusal, notDurable } from './acceptance-answer';
import { batchTooLarge, MOST_EVENTS } from './event-request';

export const INGESTION_TAG: ApiTag = {
  name: 'ingestion',
  description: 'Usage taken durably, once: CloudEvents in, faults named, nothing lost.',
};

const faults = z.array(
  z.strictObject({ field: z.string(), value: z.unknown(), problem: z.string(), fix: z.string() }),
);

const name = z.string().min(1).max(255);
const usageEvent = z
  .looseObject({
    specversion: z.literal('1.0'),
    id: name.meta({ description: 'With the source, the event’s identity' }),
    source: name,
    type: name,
    subject: name.meta({ description: 'A subject of a customer, or a customer’s key' }),
    time: instantText.nullish(),
    data: z.record(z.string(), z.unknown()).nullish(),
  })
  .meta({ id: 'UsageEvent', description: 'A CloudEvent 1.0' });
const eventsBody = z.union([usageEvent, z.array(usageEvent).max(MOST_EVENTS)]);

const taken = { id: z.string(), duplicate: z.boolean() };
const eventsAnswer = z.union([
  z.strictObject({ ...taken, status: z.literal('accepted') }),
  z.strictObject({
    ...taken,
    status: z.literal('parked'),
    code: z.enum(['customer_unknown', 'meter_unknown']),
  }),
  z.strictObject({
    accepted: z.int(),
    duplicates: z.int(),
    parked: z.int(),
    refused: z.array(
      z.strictObject({
        index: z.int(),
        id: z.string().nullable(),
        status: z.union([z.literal(409), z.literal(422)]),
        code: z.enum(['invalid_event', 'identity_conflict']),
        faults,
      }),
    ),
  }),
]);

const EXAMPLE_EVENT = {
  specversion: '1.0',
  id: 'e1',
  source: 'gateway-1',
  type: 'llm.completion',
  subject: 'acme',
  data: { tokens: '1250', model: 'm1' },
};
const ONE_FAULT = [
  { field: 'data.tokens', value: '-3', problem: 'is negative', fix: 'Send a correction instead.' },
];

export const INVALID = { kind: 'invalid', id: 'e1', faults: ONE_FAULT } as const;
export const CONFLICT = { kind: 'conflict', id: 'e1', source: 'gateway-1' } as const;

export const EVENTS = {
  take: {
    id: 'sendUsage',
    summary: 'Takes usage: one CloudEvent, or up to 1,000 as an array',
    description:
      'The binary content mode (`ce-` headers) is taken too. 2xx means durable; a repeat is answered as the first time.',
    body: {
      schema: eventsBody,
      example: EXAMPLE_EVENT,
      types: ['application/cloudevents+json', 'application/cloudevents-batch+json', 'application/json'],
    },
    answer: eventsAnswer,
    example: { id: 'e1', duplicate: false, status: 'accepted' as const },
    statuses: { 202: 'Everything sent is durable', 207: 'The good events of the batch are durable' },
    refusals: [
      eventRefusal(INVALID),
      batchRefusal([INVALID]),
      eventRefusal(CONFLICT),
      batchTooLarge(MOST_EVENTS + 1),
      notDurable(),
    ],
  },
};

export const deadLetter = z
  .strictObject({
    letter: z.uuid(),
    id: z.string().nullable(),
    code: z.enum(DEAD_LETTER_CODES),
    source: z.string().nullable(),
    faults,
    status: z.enum(['open', 'replayed', 'discarded']),
    received_at: instantText,
    origin: z.string(),
    headers: z.record(z.string(), z.string()),
    payload: z.string().optional(),
    payload_base64: z.string().optional(),
  })
  .meta({ id: 'DeadLetter' });
const deadLetters = z.strictObject({ dead_letters: z.array(deadLetter) });

export const EXAMPLE_LETTER = {
  letter: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b90',
  id: 'e1',
  code: 'invalid_event' as const,
  source: 'gateway-1',
  faults: ONE_FAULT,
  status: 'open' as const,
  received_at: '2026-03-01T00:00:00Z',
  origin: 'usage.raw/0/17',
  headers: {},
  payload: '{"specversion":"1.0","id":"e1"}',
};

export const LETTER_REFUSALS = {
  unknown: () => problem(404, 'dead_letter_unknown', 'There is no such dead letter'),
  closed: (status: string) =>
    problem(409, 'dead_letter_closed', 'The dead letter is closed', { letter_status: status }),
};

const LISTED = { answer: deadLetters, example: { dead_letters: [EXAMPLE_LETTER] } };

export const KEPT = {
  parked: {
    id: 'listParked',
    summary: 'Events that wait for their customer or meter to be known',
    answer: z.strictObject({
      parked: z.array(
        z.strictObject({
          id: z.string(),
          code: z.string(),
          source: z.string(),
          type: z.string(),
          subject: z.string(),
          occurred_at: instantText,
          received_at: instantText,
        }),
      ),
    }),
    example: {
      parked: [
        {
          id: 'e2',
          code: 'customer_unknown',
          source: 'gateway-1',
          type: 'llm.completion',
          subject: 'nobody-yet',
          occurred_at: '2026-03-01T00:00:00Z',
          received_at: '2026-03-01T00:00:01Z',
        },
      ],
    },
  },
  list: {
    id: 'listDeadLetters',
    summary: 'Usage from Kafka that could not be taken, oldest first',
    description: 'The next page begins `after` the last letter.',
    ...LISTED,
  },
  unassigned: {
    id: 'listUnassignedDeadLetters',
    summary: 'Messages that named no tenant, for the operator of the installation',
    ...LISTED,
  },
  replay: {
    id: 'replayDeadLetter',
    summary: 'Takes a dead letter’s event after all, as it is or corrected',
    body: { example: { event: EXAMPLE_EVENT }, optional: true },
    answer: deadLetter,
    example: { ...EXAMPLE_LETTER, status: 'replayed' as const },
    refusals: [
      LETTER_REFUSALS.unknown(),
      LETTER_REFUSALS.closed('discarded'),
      eventRefusal(INVALID),
      eventRefusal(CONFLICT),
      notDurable(),
    ],
  },
  discard: {
    id: 'discardDeadLetter',
    summary: 'Closes a dead letter for good',
    body: { example: { author: 'ann', reason: 'a test' }, optional: true },
    answer: deadLetter,
    example: { ...EXAMPLE_LETTER, status: 'discarded' as const },
    refusals: [LETTER_REFUSALS.unknown(), LETTER_REFUSALS.closed('replayed')],
  },
};
