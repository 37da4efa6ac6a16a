import type { Instant } from '@tallygate/kernel';
import type { Tx } from '../postgres/database';

/**
 * What time it is for a tenant. A live tenant reads the system clock; a tenant in test mode has a virtual clock, whose
 * last setting each service keeps in its own `tenant_clock` table.
 */
export abstract class TenantTime {
  /** @param tx a worker's transaction that is open here: asked on its connection, which waits for no other one */
  abstract now(tenantId: string, tx?: Tx): Promise<Instant>;
  /** The same for several tenants in one look-up. */
  abstract nowOf(tenantIds: readonly string[]): Promise<ReadonlyMap<string, Instant>>;
  /**
   * Sets a test tenant's clock; an earlier instant than the present one is ignored.
   * @param tx a worker's transaction that is open here: the clock is set with it
   */
  abstract set(tenantId: string, now: Instant, tx?: Tx): Promise<void>;
}

/**
 * Work that becomes due: rows with a due_at. Run every second for all tenants, and on demand for one while its virtual
 * clock moves. Idempotent, safe to run twice at once.
 */
export interface Sweeper {
  readonly name: string;
  /**
   * Does, or hands to the queue, everything due. In SQL a row's present is
   * `coalesce((select c.now from tenant_clock c where c.tenant_id = t.tenant_id), $systemNow)`.
   * @param scope one tenant, or all of them (null)
   * @returns how many things it did; 0 means that nothing is due any more
   */
  sweep(scope: string | null, systemNow: Instant): Promise<number>;
  /** The tenant's earliest instant after `after` at which something becomes due; null when nothing will. */
  nextDue(tenantId: string, after: Instant): Promise<Instant | null>;
}

/** Something that must come to rest before a tenant's clock may move: a feed, a delivery in flight. */
export interface Settleable {
  readonly name: string;
  settle(tenantId: string): Promise<void>;
}

/**
 * One service's part in moving a tenant's virtual clock. `arrive` only sets the clock, so that every service can know an
 * instant before any of them acts on it. `settle` sets the tenant's clock, then sweeps, waits for
 * consumers, queue, outbox and every Settleable until a whole round found nothing to do. `activity` grows with every
 * effect for the tenant in this process (message handled, job run, row swept, request that changed something), so a
 * coordinator knows that the whole system rests when two rounds over all services report equal sums.
 */
export abstract class ClockParticipant {
  abstract arrive(tenantId: string, now: Instant): Promise<void>;
  abstract settle(tenantId: string, now: Instant): Promise<{ readonly activity: number }>;
  abstract nextDue(tenantId: string, after: Instant): Promise<Instant | null>;
  abstract addSweeper(sweeper: Sweeper): void;
  abstract addSettleable(settleable: Settleable): void;
  /** Counts an effect for the tenant. Bus, queue, sweeps and mutating requests are counted by the platform itself. */
  abstract touched(tenantId: string): void;
}
