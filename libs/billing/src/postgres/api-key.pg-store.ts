import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { pgInstant } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { ApiKey } from '../domain';
import { ApiKeyStore } from '../service/ports';
import type { Session } from '../service/tenant-session';

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly tenant_id: string;
  readonly mode: 'test' | 'live';
  readonly hash: string;
  readonly scopes: string[];
}

@Injectable()
export class PgApiKeyStore extends ApiKeyStore {
  override async insert(tx: Tx, key: ApiKey, at: Instant): Promise<void> {
    await tx.query(
      'insert into api_key (tenant_id, id, hash, mode, scopes, created_at) values ($1, $2, $3, $4, $5, $6)',
      [key.tenantId, key.id, key.hash, key.mode, [...key.scopes], pgInstant(at)],
    );
  }

  override async revoke({ tx, tenantId, now }: Session, id: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      'update api_key set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null',
      [tenantId, id, pgInstant(now)],
    );
    return rowCount === 1;
  }

  override async byHash(tx: Tx, hash: string): Promise<ApiKey | null> {
    const { rows } = await tx.query<Row>(
      'select id, tenant_id, mode, hash, scopes from api_key where hash = $1 and revoked_at is null',
      [hash],
    );
    const row = rows[0];
    if (row === undefined) return null;
    return { id: row.id, tenantId: row.tenant_id, mode: row.mode, hash: row.hash, scopes: row.scopes };
  }
}
