import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { Database, instantFromPg, pgInstant } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { TestClockStore } from '../service/test-clock.ports';

@Injectable()
export class PgTestClockStore extends TestClockStore {
  constructor(private readonly database: Database) {
    super();
  }

  override async start(tx: Tx, tenantId: string, now: Instant): Promise<void> {
    await tx.query('insert into test_clock (tenant_id, now) values ($1, $2)', [tenantId, pgInstant(now)]);
  }

  override async now(tenantId: string): Promise<Instant | null> {
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<{ now: string }>('select now from test_clock where tenant_id = $1', [tenantId]),
    );
    return rows[0] === undefined ? null : instantFromPg(rows[0].now);
  }

  override claim(tenantId: string, mover: string, seen: Instant, abandonedBefore: Instant): Promise<boolean> {
    return this.changed(
      tenantId,
      `update test_clock set mover = $2, mover_seen = $3
        where tenant_id = $1 and (mover is null or mover_seen < $4)`,
      [tenantId, mover, pgInstant(seen), pgInstant(abandonedBefore)],
    );
  }

  override move(tenantId: string, mover: string, now: Instant, seen: Instant): Promise<boolean> {
    return this.changed(
      tenantId,
      'update test_clock set now = $3, mover_seen = $4 where tenant_id = $1 and mover = $2 and now <= $3',
      [tenantId, mover, pgInstant(now), pgInstant(seen)],
    );
  }

  override async release(tenantId: string, mover: string): Promise<void> {
    await this.changed(
      tenantId,
      'update test_clock set mover = null, mover_seen = null where tenant_id = $1 and mover = $2',
      [tenantId, mover],
    );
  }

  private async changed(tenantId: string, text: string, values: readonly unknown[]): Promise<boolean> {
    const { rowCount } = await this.database.asTenant(tenantId, (tx) => tx.query(text, values));
    return rowCount === 1;
  }
}
