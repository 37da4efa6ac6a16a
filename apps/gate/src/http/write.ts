import type { ServerResponse } from 'node:http';
import { verdictHeaders } from '@tallygate/gate-sdk';
import type { HttpAnswer, Verdict } from '@tallygate/gate-sdk';
import { billedHeaders } from './billed-headers';

/** Headers as one flat list: node writes it as it is, without looking each name up. */
export function writeAnswer(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  const list: string[] = [];
  for (const name in headers) list.push(name, headers[name] ?? '');
  list.push('Content-Length', String(Buffer.byteLength(body)));
  response.writeHead(status, list);
  response.end(body);
}

/** The hot path: a pass needs no JSON and few headers. What only looks is not billed, so nothing is said of whom. */
export function writePass(response: ServerResponse, verdict: Verdict, looks: boolean): void {
  const headers = notesOf(verdict);
  if (!looks) for (const each of billedHeaders(verdict)) headers.push(each);
  headers.push('Content-Length', '0');
  response.writeHead(200, headers);
  response.end();
}

/** Nearly always the two that every pass has. */
function notesOf(verdict: Verdict): string[] {
  const { local } = verdict;
  if (local === null || local.decision.suspendAt !== null)
    return Object.entries(verdictHeaders(verdict)).flat();
  return ['Billing-Gate-Reason', verdict.reason, 'Billing-Gate-Decision', verdict.decisionId];
}
