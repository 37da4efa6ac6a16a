import { Injectable } from '@nestjs/common';
import { formatAmount, invariant, parseAmount } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { instantOrNullFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { Lot } from '../domain';
import { GrantStore } from '../service/grant-store';
import type { NewGrant, StoredGrant } from '../service/grant-store';
import { readLotsOfGrant } from './sql/wallet';
import { lotOf } from './wallet-rows';
import type { LotRow } from './wallet-rows';

const INSERT = {
  name: 'ledger_insert_grant',
  text: `
insert into credit_grant (id, tenant_id, wallet_id, key, source, kind, priority, amount, effective_at, expires_at, features,
                          every, anchor, zone, rollover_min, rollover_max, next_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
on conflict do nothing`,
};

@Injectable()
export class PgGrantStore extends GrantStore {
  override async insert(tx: Tx, grant: NewGrant): Promise<boolean> {
    const { recurrence, rollover } = grant;
    const { rowCount } = await tx.query(INSERT, [
      grant.id,
      grant.tenantId,
      grant.walletId,
      grant.key,
      grant.source,
      grant.kind,
      grant.priority,
      formatAmount(grant.amount),
      pgInstant(grant.effectiveAt),
      pgInstantOrNull(grant.expiresAt),
      grant.features,
      recurrence?.every ?? null,
      pgInstantOrNull(recurrence?.anchor ?? null),
      recurrence?.zone ?? null,
      rollover === null ? null : formatAmount(rollover.min),
      rollover === null || rollover.max === null ? null : formatAmount(rollover.max),
      recurrence === null ? null : pgInstant(grant.effectiveAt),
      pgInstant(grant.createdAt),
    ]);
    return rowCount === 1;
  }

  override async byKey(tx: Tx, tenantId: string, key: string): Promise<StoredGrant | null> {
    return find(tx, 'key', tenantId, key);
  }

  override async bySource(tx: Tx, tenantId: string, source: string): Promise<StoredGrant | null> {
    return find(tx, 'source', tenantId, source);
  }

  override async lots(tx: Tx, grantId: string): Promise<readonly Lot[]> {
    const { rows } = await tx.query<LotRow>(readLotsOfGrant, [grantId]);
    return rows.map(lotOf);
  }

  override async markReversed(tx: Tx, grantId: string, reversed: Nano, version: number): Promise<boolean> {
    const { rowCount } = await tx.query(
      'update credit_grant set reversed = $2, reversal_version = $3 where id = $1 and reversal_version < $3',
      [grantId, formatAmount(reversed), version],
    );
    return rowCount === 1;
  }

  override async markVoided(tx: Tx, grantId: string, at: Instant): Promise<void> {
    await tx.query('update credit_grant set voided_at = $2, next_at = null where id = $1', [
      grantId,
      pgInstant(at),
    ]);
  }
}

interface GrantRow extends Record<string, unknown> {
  readonly id: string;
  readonly wallet_id: bigint;
  readonly voided_at: string | null;
  readonly reversed: string;
}

async function find(
  tx: Tx,
  column: 'key' | 'source',
  tenantId: string,
  value: string,
): Promise<StoredGrant | null> {
  const { rows } = await tx.query<GrantRow>(
    `select id, wallet_id, voided_at, reversed from credit_grant where tenant_id = $1 and ${column} = $2`,
    [tenantId, value],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const reversed = parseAmount(row.reversed);
  invariant(reversed.ok, 'A numeric column holds an amount');
  const voidedAt = instantOrNullFromPg(row.voided_at);
  return { id: row.id, walletId: row.wallet_id, voidedAt, reversed: reversed.value };
}
