import { Injectable } from '@nestjs/common';
import type { Tx } from '@tallygate/platform';
import { CustomerLane } from '../service/ports';

/**
 * Advisory locks, always in this order, so that no two transactions can wait for each other: the tenant's rules (shared;
 * exclusive for whoever changes them), then the customers by the numbers of their locks. Released at the end of the
 * transaction.
 */
@Injectable()
export class PgCustomerLane extends CustomerLane {
  override async enter(tx: Tx, tenantId: string, customerIds: readonly string[]): Promise<void> {
    const text = `select pg_advisory_xact_lock_shared(hashtextextended('notifier ' || $1, 0)),
                         pg_advisory_xact_lock(number)
                    from (select distinct hashtextextended('notifier ' || $1 || ' ' || id, 0) as number
                            from unnest($2::text[]) as id order by number) as customers`;
    await tx.query({ name: 'lane_customers', text }, [tenantId, customerIds]);
  }

  override async enterAll(tx: Tx, tenantId: string): Promise<void> {
    const text = `select pg_advisory_xact_lock(hashtextextended('notifier ' || $1, 0))`;
    await tx.query({ name: 'lane_tenant', text }, [tenantId]);
  }
}
