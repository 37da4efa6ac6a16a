import { Injectable } from '@nestjs/common';
import { invariant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { Tenant } from '../domain';
import { TenantStore } from '../service/ports';
import type { Session } from '../service/tenant-session';

@Injectable()
export class PgTenantStore extends TenantStore {
  override async insert(tx: Tx, tenant: Tenant): Promise<void> {
    await tx.query('insert into tenant (tenant_id, body) values ($1, $2)', [
      tenant.id,
      JSON.stringify(tenant),
    ]);
  }

  override async find(tx: Tx, tenantId: string): Promise<Tenant | null> {
    const { rows } = await tx.query<{ body: Tenant }>('select body from tenant where tenant_id = $1', [
      tenantId,
    ]);
    return rows[0]?.body ?? null;
  }

  override async lock(tx: Tx, tenantId: string): Promise<Tenant | null> {
    const { rows } = await tx.query<{ body: Tenant }>(
      { name: 'billing-tenant-lock', text: 'select body from tenant where tenant_id = $1 for update' },
      [tenantId],
    );
    return rows[0]?.body ?? null;
  }

  override async nextInvoiceNumber({ tx, tenantId }: Session): Promise<number> {
    const { rows } = await tx.query<{ number: number }>(
      'update tenant set last_invoice = last_invoice + 1 where tenant_id = $1 returning last_invoice as number',
      [tenantId],
    );
    invariant(rows[0], 'A session has its tenant');
    return rows[0].number;
  }
}
