import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

/** A structured logger. Everything in the platform takes one; nothing reaches for a global. */
export type Log = Logger;

export interface LogOptions {
  readonly name: string;
  readonly level?: string;
  readonly destination?: DestinationStream;
}

/** JSON lines on stdout. What a line must never hold is removed here, once. */
export function createLog({ name, level = 'info', destination }: LogOptions): Log {
  const options = {
    name,
    level,
    redact: {
      paths: [
        'req.headers.authorization',
        'req.headers["x-api-key"]',
        'req.headers["x-tallygate-internal"]',
        '*.secret',
        '*.password',
      ],
      censor: '***',
    },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

export const silentLog: Log = pino({ level: 'silent' });
