import type { Instant } from '@tallygate/kernel';
import type { Sweeper } from './tenant-time';

/**
 * One sweeper that never overlaps itself, whoever asks. A tenant's settling must wait for the sweep over all tenants
 * that is in progress, and hear that it did something: it may have taken the very work that the settling looks for.
 */
export class SerialSweeper implements Sweeper {
  readonly name: string;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly sweeper: Sweeper,
    private readonly onCommonWork: () => void,
  ) {
    this.name = sweeper.name;
  }

  sweep(scope: string | null, systemNow: Instant): Promise<number> {
    const turn = this.last.then(() => this.run(scope, systemNow));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    return this.sweeper.nextDue(tenantId, after);
  }

  private async run(scope: string | null, systemNow: Instant): Promise<number> {
    const did = await this.sweeper.sweep(scope, systemNow);
    if (scope === null && did > 0) this.onCommonWork();
    return did;
  }
}
