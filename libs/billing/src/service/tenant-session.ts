import { Injectable } from '@nestjs/common';
import { Database, TenantTime } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { invariant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { Tenant } from '../domain';
import { TenantStore } from './ports';

/** One transaction for one tenant, at one instant of its clock, on behalf of somebody. */
export interface Session {
  readonly tx: Tx;
  readonly tenantId: string;
  readonly tenant: Tenant;
  readonly now: Instant;
  /** Key id of the caller, or the name of the service or sweep. */
  readonly actor: string;
}

export interface Caller {
  readonly tenantId: string;
  readonly actor: string;
}

/**
 * Opens sessions. A changing one holds the tenant's row lock from its first statement: changes of a tenant happen one
 * after another, so invoice numbers have no gaps and facts (keyed by tenant) leave in the order in which they became
 * true. Nothing waits for a network inside a session.
 */
@Injectable()
export class TenantSessions {
  constructor(
    private readonly database: Database,
    private readonly time: TenantTime,
    private readonly tenants: TenantStore,
  ) {}

  async change<T>(caller: Caller, work: (session: Session) => Promise<T>): Promise<T> {
    const now = await this.time.now(caller.tenantId);
    return this.database.asTenant(caller.tenantId, async (tx) => {
      const tenant = await this.tenants.lock(tx, caller.tenantId);
      invariant(tenant, `No tenant ${caller.tenantId}`);
      return work({ ...caller, tx, tenant, now });
    });
  }

  async read<T>(caller: Caller, work: (session: Session) => Promise<T>): Promise<T> {
    const now = await this.time.now(caller.tenantId);
    return this.database.asTenant(caller.tenantId, async (tx) => {
      const tenant = await this.tenants.find(tx, caller.tenantId);
      invariant(tenant, `No tenant ${caller.tenantId}`);
      return work({ ...caller, tx, tenant, now });
    });
  }
}
