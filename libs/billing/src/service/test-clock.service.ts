import { Injectable } from '@nestjs/common';
import { addMicros, Clock, earliest, err, Ids, invariant, MICROS, minInstant, ok } from '@tallygate/kernel';
import type { Instant, Result } from '@tallygate/kernel';
import { ClockPeers, TestClockStore } from './test-clock.ports';

export type ClockRefusal = 'no_test_clock' | 'clock_moving' | 'clock_backwards';
export interface ClockAnswer {
  readonly now: Instant;
  /** Instants at which something fell due, or the target: where the clock stopped. */
  readonly visited: number;
}
type Outcome = Result<ClockAnswer, ClockRefusal>;

const ABANDONED_MICROS = 60 * MICROS.second;
const MOST_REMEMBERED = 1_000;

/**
 * Moves a test tenant's clock through every due instant of every service, and lets the whole system come to rest at
 * each (architecture.md "Clocks"). The system rests when two rounds over all services in a row report the same
 * activity. There is no waiting in between: a peer answers when its own part rests.
 */
@Injectable()
export class TestClock {
  /** What the last round of each tenant's last rest reported. */
  private readonly rested = new Map<string, string>();

  constructor(
    private readonly store: TestClockStore,
    private readonly peers: ClockPeers,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  now(tenantId: string): Promise<Instant | null> {
    return this.store.now(tenantId);
  }

  /** Lets the system come to rest where the clock stands. */
  settle(tenantId: string): Promise<Outcome> {
    return this.asMover(tenantId, async (_, now) => {
      await this.rest(tenantId, now);
      return ok({ now, visited: 0 });
    });
  }

  /** To `target`, the target included. */
  advance(tenantId: string, target: Instant): Promise<Outcome> {
    return this.asMover(tenantId, async (mover, now) => {
      if (target < now) return err('clock_backwards');
      return this.walk(tenantId, mover, now, target);
    });
  }

  private async walk(tenantId: string, mover: string, from: Instant, target: Instant): Promise<Outcome> {
    let now = from;
    let visited = 0;
    await this.rest(tenantId, now);
    while (now < target) {
      const due = await this.nextDue(tenantId, now);
      now = due === null ? target : minInstant(due, target);
      if (!(await this.store.move(tenantId, mover, now, this.clock.now()))) return err('clock_moving');
      await this.arrive(tenantId, now);
      await this.rest(tenantId, now);
      visited += 1;
    }
    return ok({ now, visited });
  }

  /** Nobody works at the new instant before all know it: what one service says then, another would take as earlier. */
  private async arrive(tenantId: string, now: Instant): Promise<void> {
    await Promise.all(this.peers.all().map((peer) => peer.arrive(tenantId, now)));
  }

  /**
   * Rounds until one reports what the round before it did. What was reported when the system last rested counts as
   * such a round: an equal report means that nothing happened since, so an instant with nothing to do costs one round.
   */
  private async rest(tenantId: string, now: Instant): Promise<void> {
    for (;;) {
      const round = await this.round(tenantId, now);
      const before = this.rested.get(tenantId);
      this.remember(tenantId, round);
      if (round === before) return;
    }
  }

  private remember(tenantId: string, round: string): void {
    this.rested.delete(tenantId);
    this.rested.set(tenantId, round);
    const [oldest] = this.rested.keys();
    if (this.rested.size > MOST_REMEMBERED && oldest !== undefined) this.rested.delete(oldest);
  }

  private async round(tenantId: string, now: Instant): Promise<string> {
    const answers = await Promise.all(
      this.peers.all().map(async (peer) => {
        const settled = await peer.settle(tenantId, now);
        return `${peer.name}=${settled === null ? 'stopped' : settled.activity}`;
      }),
    );
    return answers.join(' ');
  }

  private async nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    const dues = await Promise.all(this.peers.all().map((peer) => peer.nextDue(tenantId, after)));
    const due = earliest(...dues);
    invariant(due === null || due > after, 'What is due next lies ahead');
    return due;
  }

  private async asMover(
    tenantId: string,
    work: (mover: string, now: Instant) => Promise<Outcome>,
  ): Promise<Outcome> {
    const now = await this.store.now(tenantId);
    if (now === null) return err('no_test_clock');
    const mover = this.ids.next();
    const seen = this.clock.now();
    if (!(await this.store.claim(tenantId, mover, seen, addMicros(seen, -ABANDONED_MICROS))))
      return err('clock_moving');
    try {
      return await work(mover, (await this.store.now(tenantId)) ?? now);
    } finally {
      await this.store.release(tenantId, mover);
    }
  }
}
