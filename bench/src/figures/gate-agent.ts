import type { Figure } from '../figure';

/** The agent's /authorize beside a bare server, as bench/gate measures them. */
export function gateAgent(): Promise<Figure> {
  return Promise.reject(new Error('the gate agent is not there yet'));
}
