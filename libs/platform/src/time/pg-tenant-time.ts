import type { Clock, Instant } from '@tallygate/kernel';
import type { Database, Tx } from '../postgres/database';
import { instantFromPg, pgInstant } from '../postgres/instant-codec';
import { TenantTime } from './tenant-time';

const LIVE_FOR_MS = 1_000;
const MOST_CACHED = 50_000;

/**
 * A row in tenant_clock is a virtual clock; no row is a live tenant, which is remembered for up to a second. Virtual
 * clocks are read from the table each time, since another process of the service may have moved them.
 */
export class PgTenantTime extends TenantTime {
  private readonly liveUntil = new Map<string, number>();
  private readonly virtual = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    super();
  }

  override async now(tenantId: string, tx?: Tx): Promise<Instant> {
    return (await this.lookUp([tenantId], tx)).get(tenantId) ?? this.clock.now();
  }

  override nowOf(tenantIds: readonly string[]): Promise<ReadonlyMap<string, Instant>> {
    return this.lookUp(tenantIds);
  }

  override async set(tenantId: string, now: Instant, tx?: Tx): Promise<void> {
    await this.within(tx, (open) =>
      open.query(
        {
          name: 'tenant-clock-set',
          text: `insert into tenant_clock as c (tenant_id, now) values ($1, $2)
                 on conflict (tenant_id) do update set now = greatest(c.now, excluded.now)`,
        },
        [tenantId, pgInstant(now)],
      ),
    );
    this.virtual.add(tenantId);
    this.liveUntil.delete(tenantId);
  }

  /** Whether the tenant is known here to have a virtual clock; never asks the database. */
  isVirtual(tenantId: string): boolean {
    return this.virtual.has(tenantId);
  }

  private async lookUp(tenantIds: readonly string[], tx?: Tx): Promise<ReadonlyMap<string, Instant>> {
    const present = this.clock.now();
    const asked = [...new Set(tenantIds)].filter((id) => !this.isKnownLive(id));
    const virtual = asked.length === 0 ? new Map<string, Instant>() : await this.read(asked, tx);
    return new Map(tenantIds.map((id) => [id, virtual.get(id) ?? present]));
  }

  /** Whoever holds a connection must not wait for a second one: the pool may be held by others who wait for the same. */
  private within<T>(tx: Tx | undefined, work: (tx: Tx) => Promise<T>): Promise<T> {
    return tx === undefined ? this.database.asWorker(work) : work(tx);
  }

  private async read(tenantIds: readonly string[], tx?: Tx): Promise<Map<string, Instant>> {
    const { rows } = await this.within(tx, (open) =>
      open.query<{ tenant_id: string; now: string }>(
        {
          name: 'tenant-clock-get',
          text: 'select tenant_id, now from tenant_clock where tenant_id = any ($1::uuid[])',
        },
        [tenantIds],
      ),
    );
    const found = new Map(rows.map((row) => [row.tenant_id, instantFromPg(row.now)]));
    for (const id of tenantIds) this.remember(id, found.has(id));
    return found;
  }

  private remember(tenantId: string, virtual: boolean): void {
    if (virtual) this.virtual.add(tenantId);
    // A clock set while the table was being read must not be hidden by what was read before it.
    if (virtual || this.virtual.has(tenantId)) return;
    if (this.liveUntil.size >= MOST_CACHED) this.liveUntil.clear();
    this.liveUntil.set(tenantId, performance.now() + LIVE_FOR_MS);
  }

  private isKnownLive(tenantId: string): boolean {
    return (this.liveUntil.get(tenantId) ?? 0) > performance.now();
  }
}
