import { runMigrations } from 'bullmq';
import { ensureRole, withOwner } from '../postgres/provision';
import { roleUrl } from '../postgres/roles';

const SCHEMA = 'bullmq';
const ROLE = 'tallygate_queue';

export function queueRoleUrl(databaseUrl: string, roleSecret: string): string {
  return roleUrl(databaseUrl, roleSecret, ROLE);
}

/**
 * Creates BullMQ's schema and the role that works in it; needed by the PostgreSQL backend only. BullMQ
 * draws the ids of each queue from a sequence that it creates with the first job, so its role may create there.
 */
export async function provisionQueue(options: {
  readonly ownerUrl: string;
  readonly roleSecret: string;
}): Promise<void> {
  await withOwner(options.ownerUrl, async (owner) => {
    await owner.query(`select pg_advisory_lock(hashtextextended('tallygate provisioning', 0))`);
    await ensureRole(owner, ROLE, options);
    await runMigrations(owner as never, SCHEMA);
    await owner.query(`
      grant usage, create on schema ${SCHEMA} to ${ROLE};
      grant select, insert, update, delete on all tables in schema ${SCHEMA} to ${ROLE};
      grant usage, select on all sequences in schema ${SCHEMA} to ${ROLE};
      grant execute on all functions in schema ${SCHEMA} to ${ROLE};
    `);
  });
}
