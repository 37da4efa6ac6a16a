import { problem } from '@tallygate/platform';
import type { ProblemException } from '@tallygate/platform';
import type { Acceptance } from '../service/accept-usage.service';
import type { Fault } from '../domain/fault';
import type { EventRequest } from './event-request';
import { identityConflict } from '../service/take-raw-usage.service';

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface RefusedEvent {
  readonly index: number;
  readonly id: string | null;
  readonly status: 422 | 409;
  readonly code: 'invalid_event' | 'identity_conflict';
  readonly faults: readonly Fault[];
}

export function answerTo({ kind }: EventRequest, answers: readonly Acceptance[]): HttpAnswer {
  return kind === 'single' ? singleAnswer(answers[0] as Acceptance) : batchAnswer(answers);
}

/**
 * 202 for an event that is durable now, and the same again for its repeat. A refusal is thrown as a problem: 422 with
 * every fault, 409 when another payload has its identity.
 */
export function singleAnswer(acceptance: Acceptance): HttpAnswer {
  if (acceptance.kind === 'invalid' || acceptance.kind === 'conflict') throw eventRefusal(acceptance);
  const { kind: status, ...rest } = acceptance;
  return { status: 202, body: { ...rest, status } };
}

/**
 * One answer for a batch, in which good events are taken whatever the others are: 202 when none was refused, 207 with
 * the refused ones when some were, and a problem when all were (422, or 409 when every one is a conflict).
 */
export function batchAnswer(acceptances: readonly Acceptance[]): HttpAnswer {
  const refused = acceptances.flatMap((acceptance, index) =>
    acceptance.kind === 'invalid' || acceptance.kind === 'conflict' ? [refusedEvent(acceptance, index)] : [],
  );
  if (refused.length > 0 && refused.length === acceptances.length) throw allRefused(refused);
  const taken = acceptances.filter((one) => one.kind === 'accepted' || one.kind === 'parked');
  const duplicates = taken.filter((one) => one.duplicate).length;
  const parked = taken.filter((one) => one.kind === 'parked' && !one.duplicate).length;
  const accepted = taken.length - duplicates - parked;
  return { status: refused.length === 0 ? 202 : 207, body: { accepted, duplicates, parked, refused } };
}

export type Refused = Extract<Acceptance, { readonly kind: 'invalid' | 'conflict' }>;

/** Why one event is not taken, as the problem to throw. */
export function eventRefusal(acceptance: Refused): ProblemException {
  return refusal(refusedEvent(acceptance, 0));
}

/** The same for a batch of which nothing is taken. */
export function batchRefusal(acceptances: readonly Refused[]): ProblemException {
  return allRefused(acceptances.map(refusedEvent));
}

function refusedEvent(acceptance: Refused, index: number): RefusedEvent {
  const { id } = acceptance;
  if (acceptance.kind === 'invalid')
    return { index, id, status: 422, code: 'invalid_event', faults: acceptance.faults };
  return { index, id, status: 409, code: 'identity_conflict', faults: [identityConflict(acceptance.id)] };
}

const TITLES = {
  invalid_event: 'The event cannot be used',
  identity_conflict: 'Another event has this source and id',
} as const;

function refusal({ status, code, faults }: RefusedEvent): ProblemException {
  return problem(status, code, TITLES[code], { detail: sentence(faults), faults });
}

function allRefused(refused: readonly RefusedEvent[]): ProblemException {
  const worst = refused.find((one) => one.code === 'invalid_event') ?? refused[0];
  const code = worst?.code ?? 'invalid_event';
  const faults = refused.flatMap(({ index, faults: own }) =>
    own.map((fault) => ({ ...fault, field: `[${index}].${fault.field}` })),
  );
  return problem(worst?.status ?? 422, code, 'No event of the batch can be used', {
    detail: sentence(faults),
    faults,
    refused,
  });
}

export function notDurable(): ProblemException {
  return problem(503, 'usage_not_durable', 'Usage cannot be stored now', {
    detail: 'Nothing is lost or counted twice when the same events are sent again.',
    retryable: true,
  });
}

const MOST_IN_SENTENCE = 5;

function sentence(faults: readonly Fault[]): string {
  const named = faults.slice(0, MOST_IN_SENTENCE).map((fault) => `${fault.field} ${fault.problem}`.trim());
  return faults.length > MOST_IN_SENTENCE
    ? `${named.join('; ')}; and ${faults.length - MOST_IN_SENTENCE} more`
    : named.join('; ');
}
