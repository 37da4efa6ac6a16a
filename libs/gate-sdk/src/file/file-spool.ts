import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UsageEvent } from '../domain/usage-event';
import { UsageSpool } from '../service/usage-spool';
import type { KeptBatch } from '../service/usage-spool';

/** number, tenant and count, so that nothing need be read to know what waits. */
const NAME = /^(\d{12})\.([0-9a-f-]{36})\.(\d+)\.json$/;

/**
 * One file per batch, written before anything is sent: what was accepted outlives the process. A batch delivered but not
 * yet removed when the process died is sent again, and counted once, by the ids of its events.
 */
export class FileSpool extends UsageSpool {
  private last = 0;

  constructor(private readonly dir: string) {
    super();
  }

  override async load(): Promise<readonly KeptBatch[]> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const batches = (await readdir(this.dir)).sort().flatMap(batchOf);
    this.last = Number(batches.at(-1)?.id.slice(0, 12) ?? 0);
    return batches;
  }

  override async keep(tenantId: string, events: readonly UsageEvent[]): Promise<KeptBatch> {
    this.last += 1;
    const id = `${String(this.last).padStart(12, '0')}.${tenantId}.${events.length}.json`;
    const file = join(this.dir, id);
    await writeFile(`${file}.part`, JSON.stringify(events), { mode: 0o600 });
    await rename(`${file}.part`, file);
    return { id, tenantId, count: events.length };
  }

  override async read({ id }: KeptBatch): Promise<readonly UsageEvent[]> {
    return JSON.parse(await readFile(join(this.dir, id), 'utf8')) as UsageEvent[];
  }

  override async remove({ id }: KeptBatch): Promise<void> {
    await rm(join(this.dir, id), { force: true });
  }
}

function batchOf(name: string): readonly KeptBatch[] {
  const [, , tenantId, count] = NAME.exec(name) ?? [];
  return tenantId === undefined ? [] : [{ id: name, tenantId, count: Number(count) }];
}
