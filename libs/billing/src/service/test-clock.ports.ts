import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';

/** The truth about test tenants' time. */
export abstract class TestClockStore {
  abstract start(tx: Tx, tenantId: string, now: Instant): Promise<void>;
  /** Null when the tenant has no virtual clock. */
  abstract now(tenantId: string): Promise<Instant | null>;
  /**
   * Takes the right to move the clock for `mover`.
   * @param abandonedBefore a mover that gave no sign since then (system time) has died
   * @returns false while another one moves it
   */
  abstract claim(tenantId: string, mover: string, seen: Instant, abandonedBefore: Instant): Promise<boolean>;
  /** Moves the clock and gives a sign of life. @returns false when the right was lost */
  abstract move(tenantId: string, mover: string, now: Instant, seen: Instant): Promise<boolean>;
  abstract release(tenantId: string, mover: string): Promise<void>;
}

/** One service's part in moving a clock: a process of its own, or this one. */
export abstract class ClockPeer {
  abstract readonly name: string;
  /** Tells it the instant, at which it does nothing yet. */
  abstract arrive(tenantId: string, now: Instant): Promise<void>;
  /** Null when it cannot be reached: a stopped service counts as settled, its work waits for its start. */
  abstract settle(tenantId: string, now: Instant): Promise<{ readonly activity: number } | null>;
  abstract nextDue(tenantId: string, after: Instant): Promise<Instant | null>;
}

/** All services that a clock stops for. */
export abstract class ClockPeers {
  abstract all(): readonly ClockPeer[];
}
