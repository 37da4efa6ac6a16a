import type { GateFigures } from '../../gate/gate-bench';
import { atLeast, reading } from '../figure';
import type { Figure } from '../figure';
import { benchProcess } from '../load/child';

/** The agent's /authorize beside a bare server: each in a process of its own, under the same generator. */
export async function gateAgent(rounds: number, seconds: number): Promise<Figure> {
  const figures = (await benchProcess('gate/main.js', [String(rounds), String(seconds)])) as GateFigures;
  const { bare, gate } = figures;
  const ratio = reading('of the bare server', figures.ratio, '×');
  return {
    name: 'gate agent over HTTP',
    readings: [
      reading('agent', gate.perSecond, 'requests/s'),
      reading('agent', gate.perCoreSecond, '/s per core'),
    ],
    controls: [
      reading('bare server', bare.perSecond, 'requests/s'),
      reading('bare server', bare.perCoreSecond, '/s per core'),
    ],
    ratios: [ratio, reading('of the bare server by its own processor time', figures.ratioPerCore, '×')],
    goals: [atLeast(ratio, 0.6)],
    how:
      `GET /authorize beside a node:http server that answers 200 with nothing to decide, each in a process of its ` +
      `own, ${rounds} pairs of processes for ${seconds} s each, one after the other, over 64 kept connections, each ` +
      `request for another of 10,000 customers; the generator is a third process.`,
  };
}
