import { Injectable } from '@nestjs/common';
import { TenantTime } from '@tallygate/platform';
import type { Settleable } from '@tallygate/platform';
import { FactIntake } from './fact-intake';
import { FeedFollower } from './feed-follower';
import { FeedHub } from './feed-hub';
import { GateRegistry } from './gate-registry';

/** Waits until what is committed is also what gates decide on. */
@Injectable()
export class Propagation implements Settleable {
  readonly name = 'gates';

  constructor(
    private readonly intake: FactIntake,
    private readonly follower: FeedFollower,
    private readonly registry: GateRegistry,
    private readonly hub: FeedHub,
    private readonly time: TenantTime,
  ) {}

  /** Everything committed for the tenant before the call is acknowledged by every connected gate that sees it. */
  async propagated(tenantId: string): Promise<void> {
    await this.follower.caughtUp();
    await this.registry.propagated(tenantId);
  }

  /** A virtual clock that moved is news to gates too, since they flip by it. */
  async settle(tenantId: string): Promise<void> {
    const now = await this.time.now(tenantId);
    if (this.hub.state.clockOf(tenantId) !== now) await this.intake.announceClock(tenantId, now);
    await this.propagated(tenantId);
  }
}
