import { earliest } from '@tallygate/kernel';
import type { Clock, Instant } from '@tallygate/kernel';
import type { RunningSubscription } from '../bus/event-bus';
import type { Outbox } from '../outbox/outbox';
import type { JobQueue } from '../queue/job-queue';
import { Activity } from './activity';
import type { PgTenantTime } from './pg-tenant-time';
import { ClockParticipant } from './tenant-time';
import type { Settleable, Sweeper } from './tenant-time';

export interface ParticipantParts {
  readonly name: string;
  readonly tenantTime: PgTenantTime;
  readonly clock: Clock;
  readonly queue: JobQueue;
  readonly outbox: Outbox;
}

/** A service that is still busy after this many rounds finds its own effects due again: a fault, not work. */
const MOST_ROUNDS = 1_000;

/** One service's part in moving a virtual clock, over what the platform gave that service. */
export class LocalClockParticipant extends ClockParticipant {
  private readonly sweepers: Sweeper[] = [];
  private readonly settleables: Settleable[] = [];
  private readonly subscriptions = new Set<RunningSubscription>();
  private readonly activity: Activity;

  constructor(private readonly parts: ParticipantParts) {
    super();
    this.activity = new Activity((tenantId) => parts.tenantTime.isVirtual(tenantId));
  }

  get name(): string {
    return this.parts.name;
  }

  override arrive(tenantId: string, now: Instant): Promise<void> {
    return this.parts.tenantTime.set(tenantId, now);
  }

  override async settle(tenantId: string, now: Instant): Promise<{ readonly activity: number }> {
    await this.arrive(tenantId, now);
    for (let round = 1; await this.didSomething(tenantId); round += 1) {
      if (round === MOST_ROUNDS)
        throw new Error(
          `${this.name}: tenant ${tenantId} does not come to rest; sweepers ${this.sweepers.map((one) => one.name).join(', ')}`,
        );
    }
    return { activity: this.activity.of(tenantId) };
  }

  override async nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    return earliest(...(await Promise.all(this.sweepers.map((sweeper) => sweeper.nextDue(tenantId, after)))));
  }

  override addSweeper(sweeper: Sweeper): void {
    this.sweepers.push(sweeper);
  }

  override addSettleable(settleable: Settleable): void {
    this.settleables.push(settleable);
  }

  override touched(tenantId: string): void {
    this.activity.touched(tenantId);
  }

  /** A sweep over all tenants did something, for whom is not known. */
  touchedSomebody(): void {
    this.activity.touchedSomebody();
  }

  addSubscription(subscription: RunningSubscription): void {
    this.subscriptions.add(subscription);
  }

  removeSubscription(subscription: RunningSubscription): void {
    this.subscriptions.delete(subscription);
  }

  /** One round, in the order in which work flows: what came in, what became due, what it set off, what goes out. */
  private async didSomething(tenantId: string): Promise<boolean> {
    const before = this.activity.of(tenantId);
    await Promise.all([...this.subscriptions].map((subscription) => subscription.caughtUp()));
    for (const sweeper of this.sweepers) await this.sweep(sweeper, tenantId);
    await this.parts.queue.idle(tenantId);
    await this.parts.outbox.drained(tenantId);
    for (const settleable of this.settleables) await settleable.settle(tenantId);
    return this.activity.of(tenantId) !== before;
  }

  private async sweep(sweeper: Sweeper, tenantId: string): Promise<void> {
    const did = await sweeper.sweep(tenantId, this.parts.clock.now());
    for (let counted = 0; counted < did; counted += 1) this.activity.touched(tenantId);
  }
}
