import { processEnvironment } from '@tallygate/platform';
import { Client } from 'pg';

/**
 * Loaded into a service before its main module (`node --require`): after SIGUSR2 the process stops itself, as SIGSTOP
 * would, right before its next statement of that name is sent. A pause from outside nearly never meets the moment that
 * matters, between reading a slice and claiming its partition. Nothing of the product knows of this.
 */
const POINT = processEnvironment()['STOP_POINT'] ?? '';

let armed = false;
process.on('SIGUSR2', () => (armed = true));

type Query = (this: unknown, ...words: unknown[]) => unknown;
const query = Client.prototype.query as Query;
const stopping: Query = function (...words) {
  const named = words[0] as { readonly name?: string } | undefined;
  if (armed && named?.name === POINT) {
    armed = false;
    process.kill(process.pid, 'SIGSTOP');
  }
  return query.apply(this, words);
};
Client.prototype.query = stopping as typeof Client.prototype.query;
