/** A database error and the statement it came from: `statement` is the name, or the first words of the text. */
export interface StatementError extends Error {
  readonly statement: string;
  readonly code?: string;
  readonly constraint?: string;
}

/** Keeps the driver's error (its code and constraint are what callers look at) and adds where it happened. */
export function nameStatement(error: unknown, statement: string): unknown {
  if (!(error instanceof Error) || 'statement' in error) return error;
  error.message = `${error.message} (statement ${statement})`;
  return Object.assign(error, { statement });
}

/** The SQLSTATE of a database error, or the code of a socket error; null for anything else. */
export function sqlState(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';

/**
 * Runs a transaction again when PostgreSQL chose it as the victim of a serialization failure or a deadlock. Nothing of
 * the lost attempt remains, so the work must be repeatable, which a transaction without outside effects is.
 */
export async function retrySerialization<T>(work: () => Promise<T>, attempts = 5): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const state = sqlState(error);
      if (attempt >= attempts || (state !== SERIALIZATION_FAILURE && state !== DEADLOCK_DETECTED))
        throw error;
    }
  }
}
