import { sqlState } from '../postgres/statement-error';
import { ProblemException } from './problem';

const DISK_FULL = '53100';
/** Insufficient resources, operator intervention, connections that broke; what the driver and the sockets say of them. */
const AWAY_CLASSES = /^(53|57P|58|08)/;
const AWAY_SOCKETS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']);
const AWAY_WORDS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/;
const MOST_CAUSES = 4;
const RETRY_AFTER_S = '5';

/**
 * What a caller is told when the database cannot take the request now: nothing was changed, try again. A write whose
 * commit was cut off may have been done; repeating it with the same key or identity is safe either way.
 * @returns null when the error has another reason
 */
export function storageProblem(error: unknown): ProblemException | null {
  let cause = error;
  for (let depth = 0; depth < MOST_CAUSES && cause instanceof Error; depth += 1, cause = cause.cause) {
    if (sqlState(cause) === DISK_FULL) return storageFull();
    if (isAway(cause)) return storageUnavailable();
  }
  return null;
}

function isAway(error: Error): boolean {
  const state = sqlState(error);
  return (
    (state !== null && (AWAY_SOCKETS.has(state) || (state.length === 5 && AWAY_CLASSES.test(state)))) ||
    AWAY_WORDS.test(error.message)
  );
}

export const storageFull = () => refusal('storage_full', 'The database has no room left');
export const storageUnavailable = () => refusal('storage_unavailable', 'The database cannot be reached now');

function refusal(code: string, title: string): ProblemException {
  const detail = 'Send the request again, with the same key or identity: it counts once.';
  const headers = { 'retry-after': RETRY_AFTER_S };
  return new ProblemException({ status: 503, code, title, detail, retryable: true }, headers);
}
