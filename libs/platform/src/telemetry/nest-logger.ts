import type { LoggerService } from '@nestjs/common';
import type { Log } from './log';

/** Nest's own messages through the structured logger; its start-up chatter is debug. */
export class NestLog implements LoggerService {
  constructor(private readonly to: Log) {}

  log(message: unknown, context?: unknown): void {
    this.to.debug({ context }, String(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.to.error(
      { detail: rest },
      message instanceof Error ? (message.stack ?? message.message) : String(message),
    );
  }

  warn(message: unknown, context?: unknown): void {
    this.to.warn({ context }, String(message));
  }

  debug(message: unknown, context?: unknown): void {
    this.to.debug({ context }, String(message));
  }

  verbose(message: unknown, context?: unknown): void {
    this.to.trace({ context }, String(message));
  }

  fatal(message: unknown, context?: unknown): void {
    this.to.fatal({ context }, String(message));
  }
}
