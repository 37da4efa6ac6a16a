import type { ServerResponse } from 'node:http';
import { verdictHeaders } from '@tallygate/gate-sdk';
import type { HttpAnswer, Verdict } from '@tallygate/gate-sdk';

/** Headers as one flat list: node writes it as it is, without looking each name up. */
export function writeAnswer(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  const list: string[] = [];
  for (const name in headers) list.push(name, headers[name] ?? '');
  list.push('Content-Length', String(Buffer.byteLength(body)));
  response.writeHead(status, list);
  response.end(body);
}

/** The hot path: a pass needs no JSON and, nearly always, two headers. */
export function writePass(response: ServerResponse, verdict: Verdict): void {
  const { local } = verdict;
  if (local === null || local.decision.suspendAt !== null) {
    writeAnswer(response, { status: 200, headers: verdictHeaders(verdict), body: '' });
    return;
  }
  response.writeHead(200, [
    'Billing-Gate-Reason',
    verdict.reason,
    'Billing-Gate-Decision',
    verdict.decisionId,
    'Content-Length',
    '0',
  ]);
  response.end();
}
