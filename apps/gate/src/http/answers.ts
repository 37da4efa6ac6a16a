import { decide, renderProblem } from '@tallygate/decision';
import type { HttpAnswer } from '@tallygate/gate-sdk';
import { NANO } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { Fault } from './read-ask';

/** What a gate answers, or has a gateway answer, when it cannot decide at all: never a 402. */
export function unavailable(decisionId: string, now: Instant): HttpAnswer {
  const request = {
    tenantId: null,
    identity: { kind: 'customer', key: '' } as const,
    features: [],
    units: NANO,
    maxPrice: null,
  };
  const decision = decide(null, request, { now, feedAgeMicros: 0, unknown: 'not_checked' });
  const { status, headers, body } = renderProblem(decision, {
    decisionId,
    snapshotRevision: null,
    asOf: now,
    now,
  });
  return { status, headers, body: JSON.stringify(body) };
}

/** A question that cannot be read: a misconfigured gateway, or a client that chose its own units. */
export function invalidAsk(faults: readonly Fault[]): HttpAnswer {
  return problem(422, 'invalid_request', 'The request to the gate cannot be read', { faults });
}

export function problem(status: number, code: string, title: string, more: object = {}): HttpAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' },
    body: JSON.stringify({ type: 'about:blank', title, status, code, ...more }),
  };
}

export function json(status: number, body: object): HttpAnswer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
