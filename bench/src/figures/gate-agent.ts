import type { GateFigures } from '../../gate/gate-bench';
import { atLeast, reading } from '../figure';
import type { Figure } from '../figure';
import { benchProcess } from '../load/child';

/** The agent's /authorize beside a bare server, in turns. */
export async function gateAgent(): Promise<Figure> {
  const { bare, gate, ratio, ratioPerCore } = (await benchProcess('gate/main.js')) as GateFigures;
  const perCore = reading('of the bare server’s requests per core', ratioPerCore, '×');
  return {
    name: 'gate agent over HTTP',
    readings: [
      reading('decisions', gate.perSecond, '/s'),
      reading('decisions', gate.perCoreSecond, '/s per core'),
    ],
    controls: [
      reading('bare server', bare.perSecond, '/s'),
      reading('bare server', bare.perCoreSecond, '/s per core'),
    ],
    ratios: [perCore, reading('of the bare server’s rate', ratio, '×')],
    goals: [atLeast(perCore, 0.6, ' ×')],
    how: 'GET /authorize on 64 kept connections, each request for another of 10,000 customers, load from another process; the control is a node:http server that answers 200; rounds in turns, middle of seven. Per core: by the server’s own processor time.',
  };
}
