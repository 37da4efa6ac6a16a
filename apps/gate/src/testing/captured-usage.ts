import { UsageSink } from '@tallygate/gate-sdk';
import type { Delivery, UsageEvent } from '@tallygate/gate-sdk';

/** A sink that remembers what it took, and fails or refuses where a test says so. */
export class CapturedUsage extends UsageSink {
  readonly taken: { readonly tenantId: string; readonly event: UsageEvent }[] = [];
  /** Calls that are still to fail; the events of a failing call were taken or not, nobody knows. */
  failing = 0;
  takesBeforeFailing = false;
  refuses: (event: UsageEvent) => boolean = () => false;

  get ids(): string[] {
    return this.taken.map(({ event }) => event.id);
  }

  override async send(tenantId: string, events: readonly UsageEvent[]): Promise<Delivery> {
    const fails = this.failing > 0;
    if (fails) this.failing -= 1;
    const good = events.filter((event) => !this.refuses(event));
    if (!fails || this.takesBeforeFailing) this.taken.push(...good.map((event) => ({ tenantId, event })));
    if (fails) throw new Error('the sink is away');
    const refusedAt = events.flatMap((event, at) => (this.refuses(event) ? [at] : []));
    return {
      taken: good.length,
      refused: refusedAt.length,
      refusedAt,
      problem: refusedAt.length === 0 ? null : 'refused by a test',
    };
  }

  override async close(): Promise<void> {}
}
