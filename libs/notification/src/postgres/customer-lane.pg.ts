import { Injectable } from '@nestjs/common';
import type { Tx } from '@tallygate/platform';
import { CustomerLane } from '../service/ports';

/**
 * Two advisory locks, always in this order, so that no two transactions can wait for each other: the tenant's rules
 * (shared; exclusive for whoever changes them), then the customer. Released at the end of the transaction.
 */
@Injectable()
export class PgCustomerLane extends CustomerLane {
  override async enter(tx: Tx, tenantId: string, customerId: string): Promise<void> {
    const text = `select pg_advisory_xact_lock_shared(hashtextextended('notifier ' || $1, 0)),
                         pg_advisory_xact_lock(hashtextextended('notifier ' || $1 || ' ' || $2, 0))`;
    await tx.query({ name: 'lane_customer', text }, [tenantId, customerId]);
  }

  override async enterAll(tx: Tx, tenantId: string): Promise<void> {
    const text = `select pg_advisory_xact_lock(hashtextextended('notifier ' || $1, 0))`;
    await tx.query({ name: 'lane_tenant', text }, [tenantId]);
  }
}
