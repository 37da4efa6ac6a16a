import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import { Database, instantFromPg, pgInstant } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { AuditLog } from '../service/audit-log';
import type { AuditedAction, AuditEntry, StoredAuditEntry } from '../service/audit-log';
import { addAudit, listAudit } from './sql/audit';

interface AuditRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly at: string;
  readonly key_id: string;
  readonly author: string | null;
  readonly action: AuditedAction;
  readonly subject: string;
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

@Injectable()
export class PgAuditLog extends AuditLog {
  constructor(
    private readonly database: Database,
    private readonly ids: Ids,
  ) {
    super();
  }

  override async add(entry: AuditEntry): Promise<void> {
    await this.database.asTenant(entry.tenantId, (tx) => writeAudit(tx, this.ids.next(), entry));
  }

  override async list(
    tenantId: string,
    { subject, before, limit }: Parameters<AuditLog['list']>[1],
  ): Promise<readonly StoredAuditEntry[]> {
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<AuditRow>(listAudit, [tenantId, subject, before, limit]),
    );
    return rows.map(({ tenant_id: owner, key_id: keyId, at, ...row }) => {
      return { ...row, tenantId: owner, keyId, at: instantFromPg(at) };
    });
  }
}

/** In the transaction of what it tells about. */
export async function writeAudit(tx: Tx, id: string, entry: AuditEntry): Promise<void> {
  await tx.query(addAudit, [
    entry.tenantId,
    id,
    pgInstant(entry.at),
    entry.keyId,
    entry.author,
    entry.action,
    entry.subject,
    entry.reason,
    JSON.stringify(entry.detail),
  ]);
}
