import type { BillingGateReason } from '@tallygate/contracts';
import { passHeaders, renderProblem } from '../domain';
import type { AnswerContext } from '../domain';
import { decideIn } from './situation';
import { SITUATIONS } from './situations';
import { NOW } from './world';

const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

const CONTEXT: AnswerContext = {
  decisionId: '019cd7a2-5c00-7000-8000-000000000001',
  snapshotRevision: '5f0c3a9e11d2:184',
  asOf: NOW,
  now: NOW,
  instance: '/v1/completions',
};

/** The answer to the first situation with a reason, as it goes over the wire. A pass shows what the upstream is given. */
export function exampleOf(reason: BillingGateReason): string {
  const situation = SITUATIONS.find(([, , , each]) => each === reason)?.[1];
  if (situation === undefined) throw new Error(`No situation has the reason ${reason}`);
  const decision = decideIn(situation);
  if (decision.allow) return headerLines(passHeaders(decision, CONTEXT)).join('\n');
  const { status, headers, body } = renderProblem(decision, CONTEXT);
  const start = `HTTP/1.1 ${status} ${PHRASES[status] ?? ''}`;
  return [start, ...headerLines(headers), '', JSON.stringify(body, null, 2)].join('\n');
}

function headerLines(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}
