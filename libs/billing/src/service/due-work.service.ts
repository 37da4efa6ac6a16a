import { Injectable } from '@nestjs/common';
import { AutoTopUps } from './auto-top-ups.service';
import { CustomerFlags } from './flags.service';
import { SubscriptionStore } from './ports';
import { Subscribing } from './subscribing.service';
import { TenantSessions } from './tenant-session';

/** Rows of one tenant in one transaction: enough to be quick, few enough not to hold the tenant for long. */
const BATCH = 100;

/** What falls due in billing: starts, trial ends, renewals, ends, expiries, ends of overrides. */
@Injectable()
export class DueWork {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly subscriptions: SubscriptionStore,
    private readonly subscribing: Subscribing,
    private readonly flags: CustomerFlags,
    private readonly autoTopUps: AutoTopUps,
  ) {}

  /** @returns how many things were done; 0 when nothing of this tenant is due any more */
  async run(tenantId: string): Promise<number> {
    const done = await this.passTime(tenantId);
    return done + (await this.autoTopUps.run(tenantId, BATCH));
  }

  private passTime(tenantId: string): Promise<number> {
    return this.sessions.change({ tenantId, actor: 'clock' }, async (session) => {
      let done = await this.flags.expire(session, BATCH);
      for (const subscription of await this.subscriptions.due(session, BATCH))
        done += await this.subscribing.passTime(session, subscription);
      return done;
    });
  }
}
