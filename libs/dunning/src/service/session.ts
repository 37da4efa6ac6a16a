import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, TenantTime } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';

/** One transaction for one tenant, at one instant of its clock. */
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
  ) {}

  async run<T>(tenantId: string, work: (session: Session) => Promise<T>): Promise<T> {
    const now = await this.time.now(tenantId);
    return this.database.asWorker((tx) => work({ tx, tenantId, now }));
  }

  /** Reads only, and only this tenant's rows. */
  async view<T>(tenantId: string, work: (session: Session) => Promise<T>): Promise<T> {
    const now = await this.time.now(tenantId);
    return this.database.asTenant(tenantId, (tx) => work({ tx, tenantId, now }));
  }
}
