import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, TenantTime, type Tx, retrySerialization } from '@tallygate/platform';
import { CustomerLane } from './ports';

/** One transaction for one tenant at one instant of its clock. */
export interface Session {
  readonly tx: Tx;
  readonly tenantId: string;
  readonly now: Instant;
}

/** Opens sessions. */
@Injectable()
export class Sessions {
  constructor(
    private readonly database: Database,
    private readonly time: TenantTime,
    private readonly lane: CustomerLane,
  ) {}

  /** What concerns one customer happens one after the other, wherever it comes from: facts, sweeps, deliveries. */
  about<T>(
    tenantId: string,
    customerIds: readonly string[],
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    return this.run(tenantId, async (session) => {
      await this.lane.enter(session.tx, tenantId, customerIds);
      return work(session);
    });
  }

  /** What changes the rules for all customers of a tenant happens alone. */
  aboutAll<T>(tenantId: string, work: (session: Session) => Promise<T>): Promise<T> {
    return this.run(tenantId, async (session) => {
      await this.lane.enterAll(session.tx, tenantId);
      return work(session);
    });
  }

  private async run<T>(tenantId: string, work: (session: Session) => Promise<T>): Promise<T> {
    const now = await this.time.now(tenantId);
    return retrySerialization(() => this.database.asWorker((tx) => work({ tx, tenantId, now })));
  }
}
