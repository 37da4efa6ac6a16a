import type { FeedState } from '@tallygate/decision';
import type { Instant } from '@tallygate/kernel';

/** When it is for a tenant, and how old what is known about it is. */
export interface Moment {
  readonly now: Instant;
  /** Microseconds, on the tenant's own clock. */
  readonly feedAge: number;
}

/**
 * Test tenants live on virtual clocks. Their time comes with the feed, and from whoever moves the clock, so that it goes
 * on at a gate that is cut off: the feed is then as old as the virtual time that passed since it was lost.
 */
export class TenantClocks {
  private readonly moved = new Map<string, Instant>();

  /** A virtual clock was moved; it never goes back. */
  move(tenantId: string, now: Instant): void {
    const known = this.moved.get(tenantId);
    if (known === undefined || known < now) this.moved.set(tenantId, now);
  }

  /** Null for a tenant that lives on the system clock. */
  moment(state: FeedState | null, tenantId: string, feedIsUp: boolean): Moment | null {
    const fed = state?.clockOf(tenantId) ?? null;
    const moved = this.moved.get(tenantId) ?? null;
    if (fed === null) return moved === null ? null : { now: moved, feedAge: 0 };
    if (moved === null || moved <= fed) return { now: fed, feedAge: 0 };
    return { now: moved, feedAge: feedIsUp ? 0 : moved - fed };
  }
}
