import type { FastifyRequest } from 'fastify';
import { problem } from '@tallygate/platform';
import { attributesIn, binaryEvent } from '../domain/message';

export const MOST_EVENTS = 1_000;

/** What a request carries, by the CloudEvents HTTP binding. */
export interface EventRequest {
  readonly kind: 'single' | 'batch';
  readonly events: readonly unknown[];
}

/** Binary mode when there are ce- headers, a batch when the body is an array, else structured mode. */
export function eventRequest({ headers, body }: Pick<FastifyRequest, 'headers' | 'body'>): EventRequest {
  const attributes = attributesIn(headers, 'ce-');
  if (attributes !== null) {
    const decoded = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, percentDecoded(value)]),
    );
    return { kind: 'single', events: [binaryEvent(decoded, body, headers['content-type'])] };
  }
  if (!Array.isArray(body)) return { kind: 'single', events: [body] };
  if (body.length > MOST_EVENTS) throw batchTooLarge(body.length);
  return { kind: 'batch', events: body };
}

export function batchTooLarge(length: number) {
  return problem(413, 'batch_too_large', 'The batch is too large', {
    detail: `Send at most ${MOST_EVENTS} events at once; these are ${length}.`,
  });
}

/** The HTTP binding percent-encodes what a header cannot carry. What is not such an encoding stands for itself. */
function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
