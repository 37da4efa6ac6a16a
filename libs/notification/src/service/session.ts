import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, Outbox, TenantTime, type Tx } from '@tallygate/platform';

/** One transaction for one tenant at one instant of its clock. */
export interface Session {
  readonly tx: Tx;
  readonly tenantId: string;
  readonly now: Instant;
}

/** Opens sessions; facts written in one leave once it has committed. */
@Injectable()
export class Sessions {
  constructor(
    private readonly database: Database,
    private readonly time: TenantTime,
    private readonly outbox: Outbox,
  ) {}

  async run<T>(tenantId: string, work: (session: Session) => Promise<T>): Promise<T> {
    const now = await this.time.now(tenantId);
    const result = await this.database.asWorker((tx) => work({ tx, tenantId, now }));
    this.outbox.wake();
    return result;
  }
}
