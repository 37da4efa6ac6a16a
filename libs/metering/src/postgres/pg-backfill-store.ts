import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Database, instantFromPg, instantOrNullFromPg, pgInstant } from '@tallygate/platform';
import type { AuditEntry } from '../service/audit-log';
import { BackfillStore } from '../service/backfills';
import type { Backfill, BackfillCounts } from '../service/backfills';
import { writeAudit } from './pg-audit-log';

interface BackfillRow extends Record<string, unknown> {
  readonly tenant_id: string;
  readonly id: string;
  readonly from_at: string;
  readonly to_at: string;
  readonly key_id: string;
  readonly author: string | null;
  readonly reason: string;
  readonly opened_at: string;
  readonly closed_at: string | null;
  readonly accepted: bigint;
  readonly duplicates: bigint;
  readonly parked: bigint;
  readonly refused: bigint;
}

const COLUMNS =
  'tenant_id, id, from_at, to_at, key_id, author, reason, opened_at, closed_at, accepted, duplicates, parked, refused';

@Injectable()
export class PgBackfillStore extends BackfillStore {
  constructor(
    private readonly database: Database,
    private readonly ids: Ids,
  ) {
    super();
  }

  override async open(backfill: Backfill, audit: AuditEntry): Promise<void> {
    const { tenantId, id, from, to, keyId, author, reason, openedAt } = backfill;
    await this.database.asTenant(tenantId, async (tx) => {
      await tx.query(
        `insert into backfill (tenant_id, id, from_at, to_at, key_id, author, reason, opened_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [tenantId, id, pgInstant(from), pgInstant(to), keyId, author, reason, pgInstant(openedAt)],
      );
      await writeAudit(tx, this.ids.next(), audit);
    });
  }

  override async find(tenantId: string, id: string): Promise<Backfill | null> {
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<BackfillRow>(`select ${COLUMNS} from backfill where tenant_id = $1 and id = $2`, [
        tenantId,
        id,
      ]),
    );
    return rows[0] === undefined ? null : backfillOf(rows[0]);
  }

  override async list(tenantId: string, limit: number): Promise<readonly Backfill[]> {
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<BackfillRow>(
        `select ${COLUMNS} from backfill where tenant_id = $1 order by id desc limit $2`,
        [tenantId, limit],
      ),
    );
    return rows.map(backfillOf);
  }

  override async count(tenantId: string, id: string, more: BackfillCounts): Promise<boolean> {
    const { rowCount } = await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `update backfill set accepted = accepted + $3, duplicates = duplicates + $4, parked = parked + $5,
                refused = refused + $6
          where tenant_id = $1 and id = $2 and closed_at is null`,
        [tenantId, id, more.accepted, more.duplicates, more.parked, more.refused],
      ),
    );
    return rowCount === 1;
  }

  override async close(tenantId: string, id: string, at: Instant, audit: AuditEntry): Promise<boolean> {
    return this.database.asTenant(tenantId, async (tx) => {
      const { rowCount } = await tx.query(
        'update backfill set closed_at = $3 where tenant_id = $1 and id = $2 and closed_at is null',
        [tenantId, id, pgInstant(at)],
      );
      if (rowCount !== 1) return false;
      await writeAudit(tx, this.ids.next(), audit);
      return true;
    });
  }
}

function backfillOf(row: BackfillRow): Backfill {
  const closedAt = instantOrNullFromPg(row.closed_at);
  return {
    tenantId: row.tenant_id,
    id: row.id,
    from: instantFromPg(row.from_at),
    to: instantFromPg(row.to_at),
    keyId: row.key_id,
    author: row.author,
    reason: row.reason,
    status: closedAt === null ? 'open' : 'closed',
    openedAt: instantFromPg(row.opened_at),
    closedAt,
    counts: {
      accepted: Number(row.accepted),
      duplicates: Number(row.duplicates),
      parked: Number(row.parked),
      refused: Number(row.refused),
    },
  };
}
