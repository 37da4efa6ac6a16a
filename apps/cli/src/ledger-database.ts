import {
  ConfigError,
  type Environment,
  PgDatabase,
  databaseUrl,
  loadConfig,
  secret,
} from '@tallygate/platform';
import { z } from 'zod';
import type { Output } from './output';

const databaseConfig = z.object({ DATABASE_URL: databaseUrl, DATABASE_ROLE_SECRET: secret });

/**
 * Runs a command on the ledger's schema, as its own roles.
 * @returns the exit code of `work`; 2 when the database is not configured or cannot be asked
 */
export async function onLedgerDatabase(
  environment: Environment,
  output: Output,
  work: (database: PgDatabase) => Promise<number>,
): Promise<number> {
  let database: PgDatabase | null = null;
  try {
    const config = loadConfig(databaseConfig, environment);
    const { DATABASE_URL: url, DATABASE_ROLE_SECRET: roleSecret } = config;
    database = new PgDatabase({ url, schema: 'ledger', roleSecret, apiConnections: 1, workerConnections: 1 });
    return await work(database);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    output.error(error instanceof ConfigError ? text : `the ledger's database cannot be asked: ${text}`);
    return 2;
  } finally {
    await database?.close();
  }
}
