import type { Instant } from '@tallygate/kernel';
import { instantOrNullFromPg, pgInstant } from '@tallygate/platform';
import type { Database, Job, JobQueue, Sweeper } from '@tallygate/platform';

export interface DueWork {
  readonly name: string;
  readonly due: { readonly name: string; readonly text: string };
  readonly next: { readonly name: string; readonly text: string };
}

interface DueRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly due: string;
}

/** A payload names what is due; whoever takes it looks again whether it still is. */
export interface DuePayload {
  readonly id: string;
}

/** Hands what is due to `take`: to the queue, or straight to a use case. The rows remember; nothing else does. */
export class DueWorkSweeper implements Sweeper {
  readonly name: string;

  constructor(
    private readonly database: Database,
    private readonly work: DueWork,
    private readonly take: (jobs: readonly Job<DuePayload>[]) => Promise<void>,
  ) {
    this.name = `dunning ${work.name}`;
  }

  async sweep(scope: string | null, systemNow: Instant): Promise<number> {
    const { rows } = await this.database.asWorker((tx) =>
      tx.query<DueRow>(this.work.due, [scope, pgInstant(systemNow)]),
    );
    if (rows.length > 0) await this.take(rows.map(toJob));
    return rows.length;
  }

  async nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    const { rows } = await this.database.asWorker((tx) =>
      tx.query<{ at: string | null }>(this.work.next, [tenantId, pgInstant(after)]),
    );
    return instantOrNullFromPg(rows[0]?.at ?? null);
  }
}

/** Hands due work to a queue. */
export function toQueue(queue: JobQueue, name: string): (jobs: readonly Job<DuePayload>[]) => Promise<void> {
  return (jobs) => queue.add(name, jobs);
}

function toJob({ tenant_id, id, due }: DueRow): Job<DuePayload> {
  return { id: JSON.stringify([id, due]), tenantId: tenant_id, payload: { id } };
}
