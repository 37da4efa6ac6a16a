import { Injectable } from '@nestjs/common';
import { catalogSchema } from '@tallygate/contracts';
import type { Catalog } from '@tallygate/contracts';
import { EMPTY_CATALOG } from '../domain';
import { CatalogStore } from '../service/ports';
import type { Session } from '../service/tenant-session';

@Injectable()
export class PgCatalogStore extends CatalogStore {
  override async load({ tx, tenantId }: Session): Promise<{ revision: number; catalog: Catalog }> {
    const { rows } = await tx.query<{ revision: number; body: unknown }>(
      'select revision, body from catalog where tenant_id = $1',
      [tenantId],
    );
    // Parsed again: a document stored by an earlier release gets the defaults of what was added since.
    return rows[0] === undefined
      ? { revision: 0, catalog: EMPTY_CATALOG }
      : { revision: rows[0].revision, catalog: catalogSchema.parse(rows[0].body) };
  }

  override async save({ tx, tenantId }: Session, revision: number, catalog: Catalog): Promise<void> {
    await tx.query(
      `insert into catalog (tenant_id, revision, body) values ($1, $2, $3)
       on conflict (tenant_id) do update set revision = excluded.revision, body = excluded.body`,
      [tenantId, revision, JSON.stringify(catalog)],
    );
  }
}
